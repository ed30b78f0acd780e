"""Write the fast copy: a seekable file with copied tracks, or encoded ones where browsers cannot play them."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.copying.concat import join_parts
from worker.media.copying.copy_plan import CopyPlan
from worker.media.copying.encode import (
    PICTURE,
    SOUND,
    STRICT_PICTURE,
    encode_budget,
    encoded_size,
    picture_filters,
    sound_filters,
)
from worker.media.copying.writing import write_packets
from worker.media.limits import Demuxer, input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import copy_budget, never
from worker.media.processes.filter_expression import summed
from worker.media.processes.runner import run_ffmpeg
from worker.media.whole_files import removed_on_failure

# The same input gives the same bytes (`bitexact`: no random ids, no version of ffmpeg), so that a second run of a job
# finds its object already stored. Titles and a phone's GPS position are not copied.
_CLEAN = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}
# Packets that may wait for the muxer. With ffmpeg's default of 8, its two threads wake each other for nearly every
# packet, which took half of the processor time of a copy.
_QUEUE = {"thread_queue_size": 256}
# The index goes before the first picture, so that a player can seek without fetching the end first. Negative times
# (reordered frames, the lead-in of AAC) are shifted in WebM; MP4 has edit lists for them, and a shift would be heard.
_OF_CONTAINER = {
    "webm": {"cues_to_front": "1", "avoid_negative_ts": "make_zero"},
    "mp4": {"movflags": "+faststart"},
}


def write_copy(
    source: Path,
    target: Path,
    plan: CopyPlan,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the fast copy of `source` to `target`; it must not be used before `verify_copy` (verify.py).

    `on_progress` gets seconds of media. Raises MediaRejected and what the runner raises; then `target` does not exist.
    """
    copying = copy_budget(plan.size_bytes)
    budget = copying if plan.probe_to_encode is None else encode_budget(plan.probe_to_encode)
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=target.parent) as folder:
        if plan.probe_to_join is None:
            media = ffmpeg.input(
                plan.part.address(source), **input_options(plan.demuxer), **_decoding(plan), **dict(plan.packet_filters)
            )
            video = None if plan.video is None else media[str(plan.video)]
            sounds = [media[str(index)] for index in plan.sounds]
        else:
            media = join_parts(source, plan.probe_to_join, plan.form, binaries, Path(folder), budget, should_stop)
            video = None if plan.video is None else media["v:0"]
            sounds = [media["a:0"]] if plan.sounds else []
        run = partial(run_ffmpeg, binaries, budget=budget, should_stop=should_stop, on_progress=on_progress)
        copied = None if plan.form.video_encoder else plan.copied_picture
        with removed_on_failure(target):
            write_packets(_tracks(plan, video, sounds), _path(target), _options(plan), run, copied_picture=copied)


def drop_broken(
    copy: Path,
    target: Path,
    plan: CopyPlan,
    pictures: Sequence[tuple[float, float]],
    sounds: Sequence[tuple[float, float]],
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> None:
    """Copy a fast copy without the pictures and sounds in these stretches (seconds).

    During a stretch the picture before it stands still, and sound is silent.
    """
    demuxer: Demuxer = "matroska" if plan.form.container == "webm" else "mov"
    filters = {f"bsf:{kind}": _without(stretches) for kind, stretches in (("v", pictures), ("a", sounds)) if stretches}
    media = ffmpeg.input(_path(copy), **input_options(demuxer), **filters)
    tracks = [*([] if plan.video is None else [media["v:0"]]), *([media["a:0"]] if plan.sounds else [])]
    plain = replace(plan, form=replace(plan.form, video_encoder=None, audio_encoder=None), demuxer=demuxer)
    words = ffmpeg.get_args(ffmpeg.output(*tracks, _path(target), **_options(plain)))
    with removed_on_failure(target):
        run_ffmpeg(binaries, words, budget=copy_budget(copy.stat().st_size), should_stop=should_stop)


def _without(stretches: Sequence[tuple[float, float]]) -> str:
    """A bitstream filter that drops the packets of these stretches."""
    dropped = [f"between(pts*tb,{start:.6f},{min(end, 1e9):.6f})" for start, end in stretches]
    return f"noise=drop='{summed(dropped)}'"


def _path(path: Path) -> str:
    return str(path.absolute())


def _decoding(plan: CopyPlan) -> dict[str, str]:
    return STRICT_PICTURE if plan.encodes_picture else {}


def _tracks(plan: CopyPlan, video: Any, sounds: list[Any]) -> list[Any]:
    tracks = []
    if video is not None:
        encoded = plan.probe_to_encode.video if plan.probe_to_encode and plan.encodes_picture else None
        tracks.append(picture_filters(video, encoded, encoded_size(encoded)) if encoded else video)
    if sounds:
        tracks.append(sound_filters(sounds) if plan.encodes_sound else sounds[0])
    return tracks


def _options(plan: CopyPlan) -> dict[str, Any]:
    form = plan.form
    options: dict[str, Any] = {**_CLEAN, **_QUEUE, **_OF_CONTAINER[form.container], "f": form.container}
    if plan.video is not None:
        options |= PICTURE if plan.encodes_picture else {"c:v": "copy"}
    if plan.sounds:
        options |= SOUND[form.audio_encoder] if form.audio_encoder and plan.encodes_sound else {"c:a": "copy"}
    if plan.aspect and not form.video_encoder:
        options["aspect"] = plan.aspect
    if plan.alpha:
        # Removed with the metadata; without it browsers show a transparent board on black.
        options["metadata:s:v:0"] = "alpha_mode=1"
    if plan.demuxer == "mov" and form.container == "webm" and plan.video is not None:
        # MP4 states a frame rate, which WebM would store as the duration of each picture, including the last.
        options["r:v"] = 1000
    if plan.demuxer == "matroska" and not form.video_encoder:
        # Matroska has no decoding times, and a browser's H.264 begins without a CodecPrivate: when its first pictures
        # come slowly (a talk over a quiet board), ffmpeg gives the first one a negative time. In an MP4 that hides the
        # picture behind an edit list and shifts all others against the sound by up to seconds.
        options["avoid_negative_ts"] = "make_zero"
    probe = plan.probe_to_encode
    if probe and plan.encodes_picture and probe.shown_ms < probe.duration_ms:
        # A decoder also outputs pictures that an edit list hides, if others depend on them.
        options["t"] = f"{probe.shown_ms / 1000:.3f}"
    if plan.hevc:
        options["tag:v"] = "hvc1"  # Safari does not play `hev1`
    return options
