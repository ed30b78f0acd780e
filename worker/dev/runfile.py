"""The run file: how other commands find the stack that `astegni up` runs in the foreground elsewhere."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def runfile_path() -> Path:
    """`up.json` in the state directory of this user (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME")
    # The specification wants relative paths ignored.
    home = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return home / "astegni" / "up.json"


def write_runfile(facts: Mapping[str, Any]) -> None:
    """Publish `facts` and our process id, readable by this user only; the last stack started wins."""
    path = runfile_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({**facts, "pid": os.getpid(), "born": _born(os.getpid())}))
    draft.replace(path)


def read_runfile() -> dict[str, Any] | None:
    """The facts of the running stack with its `pid`; None when there is none or its process is gone."""
    try:
        facts: dict[str, Any] = json.loads(runfile_path().read_text())
        alive = facts.pop("born") == _born(int(facts["pid"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return facts if alive else None


def remove_runfile() -> None:
    """Take our facts away; those of a stack started later stay."""
    found = read_runfile()
    if found is not None and found["pid"] == os.getpid():
        runfile_path().unlink(missing_ok=True)


def _born(pid: int) -> str:
    """When a process started, in clock ticks since boot (proc(5), field 22): after a reboot its id is another's."""
    # The second field, the program's name in parentheses, may hold spaces and parentheses of its own.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
