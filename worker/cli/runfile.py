"""Run files, by which other commands find the stacks that `astegni up` runs in the foreground."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def runfile_directory() -> Path:
    """The directory of this user's run files, one `up-PID.json` for each stack (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME")
    # The specification says to ignore a relative path.
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "astegni"


@contextmanager
def published_runfile(facts: Mapping[str, Any]) -> Iterator[None]:
    """Publish `facts` with our process id within the block, readable by this user only."""
    path = runfile_directory() / f"up-{os.getpid()}.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**facts, "pid": os.getpid(), "born": _born(os.getpid())}))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_stacks() -> list[dict[str, Any]]:
    """The facts of the running stacks with their `pid`, newest first; removes the run files of killed stacks."""
    files = sorted(runfile_directory().glob("up-*.json"), key=_modified, reverse=True)
    return [facts for facts in map(_read, files) if facts is not None]


def newest_stack() -> dict[str, Any] | None:
    """The facts of the newest running stack; None when there is none."""
    return next(iter(running_stacks()), None)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
        if facts.pop("born") == _born(int(facts["pid"])):
            return facts
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    path.unlink(missing_ok=True)
    return None


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # its stack has just ended
        return 0


def _born(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), field 22): after a reboot its id may be reused."""
    # The second field, the program's name in parentheses, may contain spaces and parentheses.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
