"""The memory of processes, read from the kernel while they work (proc(5))."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_INTERVAL = 0.1
_MEDIA = ("ffmpeg", "ffprobe")


class MemoryWatch:
    """Samples these process trees ten times per second within its block. All results are in MB (10^6 bytes).

    A forked child shares most pages with its parent, so the sum of resident sizes counts them several times. The
    proportional set size (PSS) counts a shared page once.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self.peaks: dict[str, dict[int, float]] = {name: {} for name in roots}
        self.media_peak = 0.0
        # Peak over all processes of a tree except ffmpeg and ffprobe.
        self.tree_peak = dict.fromkeys(roots, 0.0)
        self._roots = roots
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def largest(self, name: str) -> float:
        """The maximum resident memory of any single process of this tree, media programs apart."""
        return max(self.peaks[name].values())

    def _watch(self) -> None:
        while not self._over.wait(_INTERVAL):
            self._look()

    def _look(self) -> None:
        for name, root in self._roots.items():
            together = 0.0
            for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
                try:
                    status = Path(f"/proc/{process.pid}/status").read_text()
                    shared = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                except OSError:  # it has exited
                    continue
                peak = _kilobytes(status, "VmHWM")
                # The name may be truncated; before its exec the process is still setpriv or our Python.
                if status.partition("\n")[0].removeprefix("Name:").strip().startswith(_MEDIA):
                    self.media_peak = max(self.media_peak, peak)
                    continue
                self.peaks[name][process.pid] = max(peak, self.peaks[name].get(process.pid, 0.0))
                together += _kilobytes(shared, "Pss")
            self.tree_peak[name] = max(self.tree_peak[name], together)


def reset_peaks(root: int) -> None:
    """Reset VmHWM of a process and its children to their current memory."""
    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def _kilobytes(text: str, field: str) -> float:
    """The field of a /proc file in MB; 0 for a process that is exiting."""
    for line in text.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
