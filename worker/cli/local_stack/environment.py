"""The settings of the stack, and the environment that passes them to a child: every user can see arguments."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from devstack.ports import usual_port
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


def with_directories(settings: Settings, directory: Path) -> Settings:
    """`settings` with paths below `directory` where none was set."""
    paths = {"spool_dir": directory / "spool", "flower_db": directory / "flower"}
    return settings.model_copy(update=_unset(settings, paths))


def with_ports(settings: Settings, directory: Path) -> Settings:
    """`settings` with ports where none was set: those of the last start, else the defaults, else free ones."""
    ports = {
        name: usual_port(directory / name, Settings.model_fields[name].default) for name in ("api_port", "flower_port")
    }
    return settings.model_copy(update=_unset(settings, ports))


def _unset(settings: Settings, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in settings.model_fields_set}
