"""What a file's headers state: its parts and their tracks. The packets may show something else."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.media.containers.container import Part
from worker.media.containers.kinds import Container, container_of
from worker.media.containers.parts import find_parts
from worker.media.errors import FfmpegFailed, MediaRejected, zero_length
from worker.media.limits import DEFAULT_LIMITS, Demuxer, Limits, as_arguments, input_options
from worker.media.probing.playable import unsupported_codec
from worker.media.probing.repairs import Repair
from worker.media.probing.streams import ENTRIES
from worker.media.probing.track_selection import choose_tracks, too_large_picture
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, idle_cpu_seconds, never
from worker.media.processes.runner import run_ffprobe

# Bytes per second of the slowest supported disk.
_READ_RATE = 5_000_000
# Errors for which a part is left out: it has nothing that plays, and must not cost the other parts.
FORGIVEN = frozenset({"zero-length", "no-playable-stream", "damaged"})


@dataclass(frozen=True)
class PartHeader:
    """The start of one recording: the tracks that are used, as ffprobe describes them, under `video` and `audio`."""

    part: Part
    tracks: Mapping[str, Mapping[str, Any]]
    # From its header; None if that states no duration.
    duration_ms: int | None
    more_sounds: tuple[Mapping[str, Any], ...] = ()
    left_out: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Header:
    """The starts of all recordings in a file of `size_bytes`, and why others in it were left out."""

    container: Container
    demuxer: Demuxer
    size_bytes: int
    parts: tuple[PartHeader, ...]
    rejections: tuple[MediaRejected, ...]
    # Indexes of audio tracks that are mixed.
    mixed: tuple[int, ...] = ()


def read_header(
    path: Path, binaries: Binaries, *, limits: Limits = DEFAULT_LIMITS, should_stop: Callable[[], bool] = never
) -> Header:
    """Find the recordings in the file and read their headers.

    Raises MediaRejected when none can be used, and what the runner raises.
    """
    parts = find_parts(path, should_stop=should_stop)
    demuxer = next(part.demuxer for part in parts if not part.lost) or "matroska"
    reading = PartReading(demuxer, binaries, limits, should_stop)
    headers: list[PartHeader] = []
    rejections: list[MediaRejected] = []
    for part in parts:
        try:
            if part.lost:
                raise _unreadable()
            headers.append(reading.header(path, part))
        except MediaRejected as error:
            if error.reason not in FORGIVEN:
                raise
            rejections.append(error)
    if not headers:
        raise rejections[0]
    return Header(container_of(path, demuxer), demuxer, path.stat().st_size, tuple(headers), tuple(rejections))


@dataclass(frozen=True)
class PartReading:
    """Reads one recording of a file with ffprobe."""

    demuxer: Demuxer
    binaries: Binaries
    limits: Limits
    should_stop: Callable[[], bool]

    def read(self, path: Path, part: Part, arguments: list[str], on_lines: Callable[[list[str]], None]) -> str:
        """Run ffprobe and return its error messages; raises MediaRejected when it cannot read the file."""
        options = as_arguments(input_options(part.demuxer or self.demuxer, self.limits))
        try:
            return run_ffprobe(
                self.binaries,
                [*arguments, *options, "-i", part.address(path)],
                # ffprobe prints nothing while it counts.
                budget=Budget(
                    60 + part.length / _READ_RATE,
                    stall_seconds=30 + part.length / _READ_RATE,
                    idle_cpu_seconds=idle_cpu_seconds(part.length),
                ),
                on_lines=on_lines,
                should_stop=self.should_stop,
            )
        except FfmpegFailed as error:
            if error.returncode < 0:
                raise
            raise _rejection(error.stderr, self.limits) from error

    def header(self, path: Path, part: Part, *, count: bool = False) -> PartHeader:
        """Read the header of this recording; raises MediaRejected when it cannot be used.

        With `count` the whole recording is read, and the tracks have their number of packets as `nb_read_packets`.
        """
        text: list[str] = []
        words = ["-show_entries", f"format=duration:{ENTRIES}", "-of", "json", *(["-count_packets"] if count else [])]
        complaints = self.read(path, part, words, text.extend)
        if "max pixel count" in complaints:  # the decoder refused to look, so the size below is 0
            raise too_large_picture(f"more than {self.limits.max_pixels:,} pixels")
        if "exceeds max_streams" in complaints:
            raise MediaRejected(
                "too-many-tracks", "The file has more tracks than any recorder makes. Upload another file."
            )
        header = json.loads("\n".join(text))
        duration = header.get("format", {}).get("duration")
        selection = choose_tracks(header.get("streams", []), self.limits)
        return PartHeader(
            part,
            selection.tracks,
            round(float(duration) * 1000) if duration is not None else None,
            selection.more_sounds,
            selection.left_out,
        )


def _rejection(complaint: str, limits: Limits) -> MediaRejected:
    """The error for a file that begins like a recording and that ffprobe cannot read."""
    refused = re.search(r"Codec \((\w+)\) not on whitelist", complaint)
    if refused:
        return unsupported_codec(refused[1])
    if "max pixel count" in complaint:
        return too_large_picture(f"more than {limits.max_pixels:,} pixels")
    if complaint.endswith("End of file"):
        return zero_length()
    return _unreadable()


def _unreadable() -> MediaRejected:
    return MediaRejected(
        "damaged", "The recording is damaged and cannot be read. Upload it again, or record the lesson again."
    )
