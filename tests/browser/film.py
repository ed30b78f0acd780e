"""What a recording of `recorder_harness.js` shows: the times in its bars, and when its tones begin."""

import math
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from worker.media.processes.binaries import Binaries

# What `recorder_harness.js` paints: bits of the time in units of 10 ms, and one that makes their number even.
# The times begin again after so many seconds.
_BITS = 21
ROUND = 20_000
# Seconds around a time in which a picture is looked for that was recorded right after its painting.
_NEAR = 0.8


@dataclass(frozen=True)
class Film:
    """An ingested recording: its length, `(time in the film, time of the painting)` of each picture, and when in the
    film tones begin."""

    duration: float
    pictures: list[tuple[float, float]]
    onsets: list[float]

    def seconds_of(self, since: float) -> set[int]:
        """The whole seconds, counted from `since`, of which there are pictures."""
        return {int((painted - since) % ROUND) for _, painted in self.pictures}

    def painted_seconds(self, split: float = math.inf) -> float:
        """How long it was painted: from the first to the last picture, without the gap in front of the time `split`."""
        return sum(_painted_seconds(part) for part in self._parts(split))

    def longest_picture(self, split: float = math.inf) -> float:
        """For how many seconds the film shows the same picture, at most: so exactly it can be measured."""
        return max(later[0] - earlier[0] for part in self._parts(split) for earlier, later in pairwise(part))

    def _parts(self, split: float) -> list[list[tuple[float, float]]]:
        before = [picture for picture in self.pictures if picture[1] < split]
        return [part for part in (before, self.pictures[len(before) :]) if part]

    @property
    def offsets(self) -> list[float]:
        """How much later than in the pictures each tone begins: they begin with every other second."""
        painted = []
        for onset in self.onsets:
            at, time = _newest([picture for picture in self.pictures if abs(picture[0] - onset) < _NEAR])
            painted.append(time + onset - at)
        return [(time + 1) % 2 - 1 for time in painted]


def _painted_seconds(pictures: list[tuple[float, float]]) -> float:
    """The time from the first to the last picture, by the clock of the paintings."""
    first, last = pictures[0][0], pictures[-1][0]
    begin = _newest([picture for picture in pictures if picture[0] < first + _NEAR])
    end = _newest([picture for picture in pictures if picture[0] > last - _NEAR])
    return (end[1] + last - end[0]) - (begin[1] + first - begin[0])


def _newest(pictures: list[tuple[float, float]]) -> tuple[float, float]:
    """The picture that shows the newest painting, as seen at its time. A busy browser records paintings that are up to
    half a second old, its first picture above all, and never one of the future."""
    return max(pictures, key=lambda picture: picture[1] - picture[0])


def read_film(binaries: Binaries, file: Path) -> Film:
    """Decode the file."""
    return Film(_duration(binaries, file), _pictures(binaries, file), _onsets(binaries, file))


def _duration(binaries: Binaries, file: Path) -> float:
    command = [str(binaries.ffprobe), "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(file)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def _pictures(binaries: Binaries, file: Path) -> list[tuple[float, float]]:
    entries = ["-select_streams", "v:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0"]
    probe = [str(binaries.ffprobe), "-v", "error", *entries, str(file)]
    times = subprocess.run(probe, capture_output=True, check=True, text=True).stdout.replace(",", "").split()
    if not times:
        return []
    columns = _BITS + 1
    scale = ["-map", "0:v", "-vf", f"scale={columns}:1:flags=area,format=gray", "-fps_mode", "passthrough"]
    command = [str(binaries.ffmpeg), "-v", "error", "-i", str(file), *scale, "-f", "rawvideo", "-"]
    pixels = subprocess.run(command, capture_output=True, check=True).stdout
    pictures = []
    for index, time in enumerate(times):
        bits = [int(pixel > 127) for pixel in pixels[index * columns : (index + 1) * columns]]
        # Pictures that were taken while the bars were painted are left out.
        if sum(bits) % 2 == 0 and len(bits) == columns:
            pictures.append((float(time), sum(bit << place for place, bit in enumerate(bits[:_BITS])) / 100))
    return pictures


def _onsets(binaries: Binaries, file: Path) -> list[float]:
    """When a tone begins, in seconds of the film."""
    rate = 8_000
    command = [str(binaries.ffmpeg), "-v", "error", "-i", str(file), "-map", "0:a?", "-ac", "1", "-ar", str(rate)]
    sound = subprocess.run([*command, "-f", "u8", "-"], capture_output=True, check=True).stdout
    window = rate // 100
    loud = [max(sound[at : at + window]) > 160 for at in range(0, len(sound) - window, window)]
    return [index / 100 for index in range(20, len(loud)) if loud[index] and not any(loud[index - 20 : index])]
