"""The poster of a recording: a frame that is not blank."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.contrast import BLANK, Contrast
from worker.media.decoding.frame_capture import CapturedFrame, FramePosition, capture_frame, jpeg_size
from worker.media.limits import DEFAULT_LIMITS, Limits
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never

# Recordings that were cut off often end in a broken frame.
_END_MARGIN_MS = 500
# How many of the pictures with the highest known contrast are tried. One that was decoded before does not fail.
_KNOWN_TRIES = 2
# Times in a file are rounded: to a millisecond, in an MP4 to any unit.
_MOMENT_MS = 5
# As shares of the recording. The second group is tried when all of the first are blank; at 0 there always is a frame.
_FIRST_TRIES = (0.25, 0.5, 0.75)
_LATER_TRIES = (0.13, 0.88, 0.0)
# The next key frame replaces the exact moment if it is within this share of the recording: decoding up to the moment
# took most of a poster's time.
_NEAR = 1 / 20


@dataclass(frozen=True)
class Poster:
    """A JPEG file: its size in pixels, and the moment of the recording it shows."""

    path: Path
    width: int
    height: int
    at_ms: int
    blank: bool


def write_poster(
    playable: Path,
    target: Path,
    probed: Probe,
    binaries: Binaries,
    *,
    contrasts: Sequence[Contrast] = (),
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = never,
) -> Poster | None:
    """Write the best frame of `playable` (a fast copy, which is seekable) to `target` as JPEG.

    `contrasts` are those of key frames that were decoded before: the best of them is used unless it is blank. Otherwise
    a few moments are decoded and compared. At most 1280 wide, both sides even, upright, without metadata. Returns None
    when there is no picture: sound only, or not one decodable frame. Raises what the runner raises, except that a frame
    that fails is skipped.
    """
    video = probed.video
    if video is None:
        return None
    demuxer = detect_demuxer(playable)
    is_key_near = video.max_key_interval_ms <= _NEAR * probed.duration_ms
    with tempfile.TemporaryDirectory(prefix=".poster-", dir=target.parent) as folder:

        def take(at_ms: int, *, is_key: bool = False) -> CapturedFrame | None:
            frame = FramePosition(playable, demuxer, video, at_ms, is_key or is_key_near, limits)
            return capture_frame(frame, Path(folder), binaries, should_stop)

        best = _best_known(contrasts, take) or _best_of_moments(probed.duration_ms, take)
        if best is None:
            return None
        width, height = jpeg_size(best.path)
        best.path.replace(target)
        return Poster(target, width, height, best.at_ms, best.variance < BLANK)


def _best_known(contrasts: Sequence[Contrast], take: Callable[..., CapturedFrame | None]) -> CapturedFrame | None:
    """The first frame that can be taken of those with the most contrast; None when all are blank."""
    shown = sorted((c for c in contrasts if c.variance >= BLANK), key=lambda c: c.variance, reverse=True)
    candidates = (take(max(0, int(c.at * 1000) - _MOMENT_MS), is_key=True) for c in shown[:_KNOWN_TRIES])
    return next((candidate for candidate in candidates if candidate), None)


def _best_of_moments(duration_ms: int, take: Callable[[int], CapturedFrame | None]) -> CapturedFrame | None:
    """The frame with the most contrast at a few moments; further moments are tried when these are blank."""
    best: CapturedFrame | None = None
    for tries in (_FIRST_TRIES, _LATER_TRIES):
        for at_ms in moments(duration_ms, tries):
            candidate = take(at_ms)
            if candidate and (best is None or candidate.variance > best.variance):
                best = candidate
        if best and best.variance >= BLANK:
            break
    return best


def moments(duration_ms: int, tries: tuple[float, ...]) -> list[int]:
    """These fractions of a recording in milliseconds, none in its last half second, without duplicates."""
    latest = max(0, duration_ms - _END_MARGIN_MS)
    return list(dict.fromkeys(min(int(duration_ms * fraction), latest) for fraction in tries))
