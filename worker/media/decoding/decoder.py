"""One run of a decoder or a parser over a track of a fast copy: which packets it outputs."""

import bisect
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import ffmpeg

from worker.media.containers.container import Part
from worker.media.decoding.contrast import THUMBNAIL_OPTIONS, Contrast, thumbnail, variances
from worker.media.decoding.transparency import on_white
from worker.media.errors import FfmpegFailed
from worker.media.limits import Demuxer, Limits, input_options
from worker.media.probing.header import PartReading
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg

# Pictures keep their times and sizes.
_AS_THEY_COME = {"fps_mode": "passthrough", "enc_time_base": "demux", "noautoscale": None}


@dataclass(frozen=True)
class DecoderOutput:
    """The sorted times (seconds) of the output, whether ffmpeg reported errors, and the contrasts if measured."""

    times: list[float]
    complained: bool
    contrasts: tuple[Contrast, ...] = ()

    def has(self, at: float, slack: float) -> bool:
        """Whether there is output at this time, within `slack` seconds."""
        place = bisect.bisect_left(self.times, at - slack)
        return place < len(self.times) and self.times[place] <= at + slack


@dataclass(frozen=True)
class CopyPacket:
    """When a packet of the copy is shown (seconds), and whether playback can start there."""

    at: float
    key: bool


@dataclass(frozen=True)
class CopiedTrack:
    """The picture (`v`) or the sound (`a`) of a fast copy, and how it is decoded."""

    path: Path
    demuxer: Demuxer
    kind: Literal["v", "a"]
    binaries: Binaries
    should_stop: Callable[[], bool]
    # The name of its decoder; empty: ffmpeg's own choice.
    decoder: str = ""
    # Whether its pictures are transparent; their contrast is then measured on white paper.
    alpha: bool = False
    # Whether the contrast of every decoded picture is measured.
    contrasts: bool = False

    def decode(self, drop: str | None = None, **options: str) -> DecoderOutput:
        """Decode the track, except packets for which the expression `drop` is true; `options` apply to the input."""
        words: dict[str, Any] = {"threads": 1, **options}
        if self.decoder:
            words[f"c:{self.kind}"] = self.decoder
        if drop is not None:
            words[f"bsf:{self.kind}"] = f"noise=drop='{drop}'"
        return self._run(words, _AS_THEY_COME if self.kind == "v" else {})

    def parse(self, parser: str) -> DecoderOutput:
        """Pass each packet to this bitstream filter, which drops those that it cannot parse."""
        return self._run({}, {f"c:{self.kind}": "copy", f"bsf:{self.kind}": parser})

    def _run(self, before: dict[str, Any], behind: dict[str, Any]) -> DecoderOutput:
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=".decoded-") as folder:
            listing, thumbnails = Path(folder, "listing"), Path(folder, "thumbnails")
            track = ffmpeg.input(str(self.path.absolute()), **input_options(self.demuxer), **before)[f"{self.kind}:0"]
            outputs = [ffmpeg.output(track, str(listing), f="framecrc", max_error_rate=1, copyts=None, **behind)]
            if self.contrasts:
                small = thumbnail(track)
                paper = on_white(small) if self.alpha else small
                outputs.append(ffmpeg.output(paper, str(thumbnails), **THUMBNAIL_OPTIONS, **_AS_THEY_COME))
            complaints = self._complaints(ffmpeg.get_args(ffmpeg.merge_outputs(*outputs)))
            times = frame_times(listing.read_text("ascii", "replace").splitlines()) if listing.exists() else []
            measured = variances(thumbnails.read_bytes()) if thumbnails.exists() else []
        return DecoderOutput(
            sorted(times),
            any("to muxer in stream" not in line for line in complaints.splitlines()),
            tuple(map(Contrast, times, measured)) if len(times) == len(measured) else (),
        )

    def _complaints(self, arguments: list[str]) -> str:
        """Run ffmpeg and return its error messages, even if it failed."""
        budget = Budget(wall_seconds=120 + self.path.stat().st_size / 2_000_000, stall_seconds=60)
        try:
            return run_ffmpeg(self.binaries, arguments, budget=budget, should_stop=self.should_stop)
        except FfmpegFailed as error:
            if error.returncode < 0:
                raise
            return error.stderr

    def packets(self) -> list[CopyPacket]:
        """All packets of the track, in the order in which they are shown."""
        packets: list[CopyPacket] = []

        def read(lines: list[str]) -> None:
            for line in lines:
                at, _, flags = line.partition(",")
                if at and at != "N/A":
                    packets.append(CopyPacket(float(at), "K" in flags))

        reading = PartReading(self.demuxer, self.binaries, Limits(max_seconds=math.inf), self.should_stop)
        words = ["-select_streams", f"{self.kind}:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
        reading.read(self.path, Part(0, self.path.stat().st_size), words, read)
        return sorted(packets, key=lambda packet: packet.at)


def frame_times(lines: list[str]) -> list[float]:
    """Seconds for each line of `stream, dts, pts, duration, size, checksum`, in the time base that a comment states."""
    unit = 0.0
    times: list[float] = []
    for line in lines:
        if line.startswith("#tb 0: "):
            numerator, _, denominator = line.removeprefix("#tb 0: ").partition("/")
            unit = int(numerator) / int(denominator)
        elif not line.startswith("#") and line.count(",") >= 4:
            times.append(int(line.split(",")[2]) * unit)
    return times
