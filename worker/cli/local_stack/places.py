"""Directories and ports of a stack where no setting names them."""

from contextlib import ExitStack
from pathlib import Path

from devstack.ports import usual_port
from worker.settings import Settings


def with_directories(settings: Settings, directory: Path) -> Settings:
    """`settings` with paths below `directory` where none was set."""
    paths = {"spool_dir": directory / "spool", "flower_db": directory / "flower"}
    return settings.model_copy(
        update={name: path for name, path in paths.items() if name not in settings.model_fields_set}
    )


def with_ports(settings: Settings, directory: Path, running: ExitStack) -> Settings:
    """`settings` with ports where none was set: those of the last start, else the defaults, else free ones.

    They are reserved until `running` is closed.
    """
    unset = {"api_port", "flower_port"} - settings.model_fields_set
    ports = {
        name: running.enter_context(usual_port(directory / name, Settings.model_fields[name].default))
        for name in sorted(unset)
    }
    return settings.model_copy(update=ports)
