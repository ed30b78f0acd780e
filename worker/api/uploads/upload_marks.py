"""The header `Upload-Marks`: pauses and gaps of the recorder. It is our own, not part of tus 1.0."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers

from worker.api.http.fields import Body
from worker.errors import InvalidInput

_MAX_MARKS = 4096
# Milliseconds; far more than the longest recording that is accepted.
_LONGEST = 30 * 86_400_000


class Mark(Body):
    """A time in which the recorder recorded nothing; milliseconds of its clock since `started_at`."""

    kind: Literal["pause", "gap", "sleep"]
    from_ms: int
    to_ms: int

    @property
    def is_plausible(self) -> bool:
        """Whether it lies in a recording; otherwise the device's clock was set while it was made."""
        return self.from_ms >= 0 and self.to_ms <= _LONGEST


_MARKS = TypeAdapter(Annotated[list[Mark], Field(max_length=200)])


def read_marks(headers: Headers) -> list[dict[str, Any]]:
    """`Upload-Marks`: pauses and gaps of the recorder as JSON, without implausible ones. Raises InvalidInput.

    A recorder repeats its marks with each attempt: refusing one would refuse the rest of its lesson for ever.
    """
    value = headers.get("upload-marks")
    if value is None:
        return []
    if len(value) > _MAX_MARKS:
        raise InvalidInput(f"Upload-Marks is longer than {_MAX_MARKS} bytes.")
    try:
        marks = _MARKS.validate_python(json.loads(value), strict=True)
    except (ValueError, RecursionError, ValidationError) as error:
        raise InvalidInput(
            'Upload-Marks must be JSON like [{"kind":"pause","from_ms":1000,"to_ms":5000}], with the kinds pause, gap '
            "and sleep."
        ) from error
    if any(mark.to_ms < mark.from_ms for mark in marks):
        raise InvalidInput("A mark in Upload-Marks ends before it begins.")
    return [mark.model_dump() for mark in marks if mark.is_plausible]
