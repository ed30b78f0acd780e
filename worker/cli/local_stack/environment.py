"""Pass settings to child processes in the environment, because arguments are visible to every user."""

import os
from pathlib import Path

from pydantic import SecretStr

from worker.settings import Settings


def environment_without_settings() -> dict[str, str]:
    """This process's environment without any setting."""
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    # The log must contain all output even when the child is killed.
    return inherited | {"PYTHONUNBUFFERED": "1"}


def environment_for(settings: Settings) -> dict[str, str]:
    """This process's environment, with every explicitly set field of `settings`."""
    explicit = {name: getattr(settings, name) for name in settings.model_fields_set}
    return environment_without_settings() | {
        name.upper(): _as_text(value) for name, value in explicit.items() if value is not None
    }


def _as_text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case frozenset() | tuple():
            return ",".join(map(_as_text, value))
        case Path():
            return str(value.absolute())  # the child may run elsewhere
        case _:
            return str(value)
