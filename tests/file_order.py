"""Which process runs which test file next, so that no core is idle and few browsers play at once.

`tests/slow.txt` names what is slow. `make test` begins with that: the first file of each of its lines, then the second
of each, and so on. What plays in real time runs in two processes only, and the others yield to them: browsers one
beside another on few cores would drop pictures, and recordings would show it.

What is slow waits half of its time. One process therefore begins with the files that are not, which only compute, and
yields to all others: it has the processor time that they leave.
"""

from collections import Counter
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadFileScheduling

_TESTS = Path(__file__).parent
_SLOW = [line for line in (_TESTS / "slow.txt").read_text().splitlines() if not line.startswith("#")]
_IN_REAL_TIME = ("tests/browser/", "tests/script_tag/")
_PROCESSES_IN_REAL_TIME = frozenset({"gw0", "gw1"})
# The last of `make test`; fewer processes all begin with what is slow.
_PROCESS_OF_QUICK = "gw5"
# One core for both then has three quarters for the process in real time.
_NICENESS = 5
_NICENESS_OF_QUICK = 10
_E2E = "tests/e2e"


def line_of(path: Path) -> int | None:
    """The first line of the list that names a test file, or a folder above it."""
    names = [str(parent.relative_to(_TESTS)) for parent in (path, *path.parents) if parent.is_relative_to(_TESTS)]
    return min((_SLOW.index(name) for name in names if name in _SLOW), default=None)


def order_of(paths: Collection[Path]) -> dict[Path, tuple[int, int]]:
    """The place of each slow file in the order of all."""
    numbers: Counter[int] = Counter()
    places: dict[Path, tuple[int, int]] = {}
    for path in sorted(paths):
        line = line_of(path)
        if line is not None:
            places[path] = (numbers[line], line)
            numbers[line] += 1
    return places


def niceness_of(process: str) -> int:
    """How much a process of xdist yields to the others."""
    if process in _PROCESSES_IN_REAL_TIME:
        return 0
    return _NICENESS_OF_QUICK if process == _PROCESS_OF_QUICK else _NICENESS


class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist publishes no types
    """Hands out one file after the other, and the files of `e2e` together: they share one `astegni up`."""

    def _split_scope(self, nodeid: str) -> str:
        return _E2E if nodeid.startswith(f"{_E2E}/") else str(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: Any) -> None:
        """The first file of the kind that this process prefers."""
        process = node.gateway.id
        self.workqueue.move_to_end(min(self.workqueue, key=lambda scope: _rank(scope, process)), last=False)
        super()._assign_work_unit(node)


def _rank(scope: str, process: str) -> int:
    """The lower, the earlier this process takes a file, or `tests/e2e`."""
    is_in_real_time = scope.startswith(_IN_REAL_TIME)
    if process in _PROCESSES_IN_REAL_TIME:
        return 0 if is_in_real_time else 1
    if is_in_real_time:
        return 2
    return int(process == _PROCESS_OF_QUICK and _is_slow(scope))


@cache
def _is_slow(scope: str) -> bool:
    return line_of(_TESTS.parent / scope) is not None
