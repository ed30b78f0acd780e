"""Directories and ports of a stack where no setting names them."""

from pathlib import Path
from typing import Any

from devstack.ports import usual_port
from worker.settings import Settings


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
