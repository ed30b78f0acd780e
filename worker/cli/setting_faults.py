"""How invalid settings are reported."""

from pydantic import ValidationError

from worker.settings import Settings


def setting_faults(error: ValidationError) -> list[str]:
    """A sentence for each invalid setting: its name and what is required, never its value, which may be a secret."""
    sentences = []
    for fault in error.errors(include_url=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if name in Settings.model_fields:
            about = Settings.model_fields[name].description
            sentences.append(f"the setting {name.upper()} is not valid: {message}. ({about})")
        else:
            sentences.append(f"the settings do not fit together: {message}.")
    return sentences
