"""The form of an upload: its fields, and which of them can be used."""

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from worker.api.recordings.recording_documents import UploadForm
from worker.api.uploads.multipart import FormReader


def read_form(fields: dict[str, str]) -> UploadForm:
    """The fields of the form. Raises RequestValidationError."""
    try:
        return UploadForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from error


def usable_fields(form: FormReader) -> tuple[dict[str, str], dict[str, str]]:
    """The fields to use, and the ignored ones with reasons: invalid optional fields after the file.

    The bytes have already been received, and refusing the upload because of a title would lose them.
    """
    fields, ignored = dict(form.fields), dict(form.ignored)
    try:
        UploadForm.model_validate(fields)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            if name in form.behind and not UploadForm.model_fields[name].is_required():
                fields.pop(name, None)
                ignored[name] = f"{fault['msg']}."
    return fields, ignored
