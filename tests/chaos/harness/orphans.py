"""Which ffmpeg and ffprobe processes use our files, and whether a worker still supervises them."""

from pathlib import Path

import psutil


def media_processes(folder: Path) -> list[psutil.Process]:
    """Processes that were given a file below `folder` to work on: ffmpeg, ffprobe, and a shell in front of them."""
    processes = []
    for process in psutil.process_iter(["cmdline", "name", "status"]):
        words = process.info["cmdline"] or []
        mentions = any(str(folder / "spool") in word for word in words)
        if mentions and process.info["status"] != psutil.STATUS_ZOMBIE:
            processes.append(process)
    return processes
