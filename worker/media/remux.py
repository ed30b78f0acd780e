"""The fast copy: the same coded pictures and sound in a file that a browser can seek. Nothing is encoded anew."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.container import Part
from worker.media.errors import MediaRejected
from worker.media.header import Header
from worker.media.join import join_parts
from worker.media.limits import Demuxer, input_options
from worker.media.playable import PlayableContainer, container_for
from worker.media.probe import Probe
from worker.media.runner import Budget, never, run_ffmpeg
from worker.media.streams import AudioStream, VideoStream, audio_stream, video_stream
from worker.media.timeline import Track

# The same input gives the same bytes (`bitexact`: no random ids, no version of ffmpeg), so that a second run of a
# job finds its object already stored. No title, no GPS position of a phone goes along.
_CLEAN = {"c": "copy", "map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}
# The index goes before the first picture, so that a player can seek without fetching the end first. Times below zero
# (reordered frames, the lead-in of AAC) are shifted in WebM; MP4 has edit lists for them, and a shift would be heard.
_OF_CONTAINER = {
    "webm": {"cues_to_front": "1", "avoid_negative_ts": "make_zero"},
    "mp4": {"movflags": "+faststart"},
}


def copy_budget(size_bytes: int) -> Budget:
    """What copying this many bytes may take. Moving the index to the front makes no progress that can be seen."""
    return Budget(
        wall_seconds=120 + size_bytes / 5_000_000,
        stall_seconds=30 + size_bytes / 10_000_000,
        file_bytes=size_bytes * 2 + 64 * 1024 * 1024,
    )


@dataclass(frozen=True)
class CopyPlan:
    """What is copied: these tracks (by their index) of this part of the source. Equal plans give equal copies."""

    container: PlayableContainer
    demuxer: Demuxer
    size_bytes: int
    part: Part
    video: int | None
    audio: int | None
    alpha: bool
    hevc: bool
    # A file of several recordings: they are joined, and `part` and the tracks are those of the first.
    joined: Probe | None = None


def plan_copy(probed: Probe) -> CopyPlan:
    """The copy of a recording that was read to its end. Raises MediaRejected when no browser plays its tracks."""
    plan = _plan(probed.demuxer, probed.size_bytes, probed.parts[0].part, probed.video, probed.audio)
    return plan if len(probed.parts) == 1 else replace(plan, joined=probed)


def plan_promised_copy(header: Header) -> CopyPlan | None:
    """The copy that will most likely be right, known before the packets are; None when only they can tell."""
    first, *others = header.parts
    if others:
        return None
    nothing_yet = Track(is_video=False)
    video, audio = first.tracks.get("video"), first.tracks.get("audio")
    try:
        return _plan(
            header.demuxer,
            header.size_bytes,
            first.part,
            video_stream(video, nothing_yet) if video else None,
            audio_stream(audio, nothing_yet) if audio else None,
        )
    except MediaRejected:
        return None  # it may turn out that one of the tracks is empty


def _plan(
    demuxer: Demuxer, size_bytes: int, part: Part, video: VideoStream | None, audio: AudioStream | None
) -> CopyPlan:
    return CopyPlan(
        container=container_for(video, audio),
        demuxer=demuxer,
        size_bytes=size_bytes,
        part=part,
        video=video.index if video else None,
        audio=audio.index if audio else None,
        alpha=video is not None and video.alpha,
        hevc=video is not None and video.codec == "hevc",
    )


def write_copy(
    source: Path,
    target: Path,
    plan: CopyPlan,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the fast copy of `source` to `target`; it counts for nothing before `verify_copy` (verify.py).

    `on_progress` gets seconds of media. Raises MediaRejected and what the runner raises; then nothing is left behind.
    """
    budget = copy_budget(plan.size_bytes)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=target.parent) as folder:
        if plan.joined is None:
            media = ffmpeg.input(plan.part.address(source), **input_options(plan.demuxer))
            streams = [media[str(index)] for index in (plan.video, plan.audio) if index is not None]
        else:
            media = join_parts(source, plan.joined, binaries, Path(folder), budget, should_stop)
            kinds = (("v:0", plan.video), ("a:0", plan.audio))
            streams = [media[kind] for kind, index in kinds if index is not None]
        words = ffmpeg.get_args(ffmpeg.output(*streams, str(target.absolute()), **_options(plan)))
        try:
            run_ffmpeg(binaries, words, budget=budget, should_stop=should_stop, on_progress=on_progress)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _options(plan: CopyPlan) -> dict[str, Any]:
    options: dict[str, Any] = {**_CLEAN, **_OF_CONTAINER[plan.container], "f": plan.container}
    if plan.alpha and plan.container == "webm":
        # Taken away with the metadata; without it a transparent board is played on black.
        options["metadata:s:v:0"] = "alpha_mode=1"
    if plan.demuxer == "matroska":
        # Matroska has no decoding times, and a browser's H.264 begins without a CodecPrivate: when its first pictures
        # come slowly (a talk over a quiet board), ffmpeg gives the first one a time below zero. In an MP4 that hides
        # the picture behind an edit list and moves all others against the sound by up to seconds.
        options["avoid_negative_ts"] = "make_zero"
    if plan.hevc:
        options["tag:v"] = "hvc1"  # Safari plays no `hev1`
    return options
