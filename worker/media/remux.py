"""The fast copy: the same coded pictures and sound in a file that a browser can seek. Nothing is encoded anew."""

import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media import boxes, ebml
from worker.media.binaries import Binaries
from worker.media.errors import MediaRejected, OutputDamaged
from worker.media.join import join_parts
from worker.media.limits import Limits, input_options
from worker.media.playable import PlayableForm, playable_form
from worker.media.probe import Probe, probe
from worker.media.runner import Budget, never, run_ffmpeg

# The copy's length may differ from the truth by less than anyone can see or hear.
TOLERANCE_MS = 100

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


def write_playable(
    source: Path,
    target: Path,
    probed: Probe,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> Probe:
    """Write the fast copy of `source` to `target` and answer the probe of what was written.

    `probed` is the probe of `source`; the form is `playable_form(probed)`. The copy is written beside the target,
    read again from beginning to end, and only then takes the target's name. `on_progress` gets seconds of media.
    Raises MediaRejected, OutputDamaged and what the runner raises; then nothing is left behind.
    """
    form = playable_form(probed)
    with tempfile.TemporaryDirectory(prefix=".remux-", dir=target.parent) as folder:
        written = Path(folder) / f"playback.{form.extension}"
        budget = copy_budget(probed.size_bytes)
        arguments = _arguments(source, written, probed, form, binaries, Path(folder), should_stop)
        run_ffmpeg(binaries, arguments, budget=budget, should_stop=should_stop, on_progress=on_progress)
        _sync(written)
        result = _verify(written, probed, form, binaries, should_stop)
        written.replace(target)
    return result


def _arguments(
    source: Path,
    written: Path,
    probed: Probe,
    form: PlayableForm,
    binaries: Binaries,
    folder: Path,
    should_stop: Callable[[], bool],
) -> list[str]:
    """The command of the copy: from the file itself, or from its parts joined."""
    if len(probed.parts) == 1:
        media = ffmpeg.input(_address(source, probed), **input_options(probed.demuxer))
        streams = [media[str(stream.index)] for stream in (probed.video, probed.audio) if stream]
    else:
        joined = join_parts(source, probed, binaries, folder, copy_budget(probed.size_bytes), should_stop)
        streams = [joined[kind] for kind, stream in (("v:0", probed.video), ("a:0", probed.audio)) if stream]
    options: dict[str, Any] = {**_CLEAN, **_OF_CONTAINER[form.container], "f": form.container}
    if probed.video and probed.video.alpha and form.container == "webm":
        # Taken away with the metadata; without it a transparent board is played on black.
        options["metadata:s:v:0"] = "alpha_mode=1"
    if probed.video and probed.video.codec == "hevc":
        options["tag:v"] = "hvc1"  # Safari plays no `hev1`
    words: list[str] = ffmpeg.get_args(ffmpeg.output(*streams, str(written), **options))
    return words


def _address(source: Path, probed: Probe) -> str:
    """The file, or the range of its only readable part when bytes behind it are no recording."""
    part = probed.parts[0].part
    return str(source.absolute()) if part.length == probed.size_bytes else part.address(source)


def _sync(path: Path) -> None:
    """On the disk before it has its name: a power cut must not leave a name without bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _verify(
    written: Path, probed: Probe, form: PlayableForm, binaries: Binaries, should_stop: Callable[[], bool]
) -> Probe:
    """Read the copy as if a stranger had sent it, and compare it with what was to be copied."""
    try:
        result = probe(written, binaries, limits=Limits(max_seconds=math.inf), should_stop=should_stop)
    except MediaRejected as error:
        raise OutputDamaged(f"The copy of the recording cannot be read: {error.detail}") from error
    in_front = boxes.moov_is_in_front if form.container == "mp4" else ebml.cues_are_in_front
    faults = [
        *_differences(result, probed),
        *([] if result.container == form.container else [f"it is {result.container}, not {form.container}"]),
        *([] if in_front(written) else ["its index is not in front"]),
    ]
    if faults:
        raise OutputDamaged(f"The copy of the recording is not right: {'; '.join(faults)}.")
    return result


def _differences(copy: Probe, original: Probe) -> list[str]:
    """What the copy lacks, in words."""
    faults: list[str] = []
    for name, ours, theirs in (("picture", copy.video, original.video), ("sound", copy.audio, original.audio)):
        if (ours and ours.codec) != (theirs and theirs.codec):
            faults.append(f"its {name} is {ours and ours.codec}, not {theirs and theirs.codec}")
    if copy.video and original.video and copy.video.frames < original.video.frames:
        faults.append(f"it has {copy.video.frames} of {original.video.frames} frames")
    if copy.audio and original.audio and copy.audio.packets < original.audio.packets:
        faults.append(f"it has {copy.audio.packets} of {original.audio.packets} packets of sound")
    for name, length in (("real", copy.duration_ms), ("stated", copy.header_duration_ms)):
        if length is None or abs(length - original.duration_ms) > TOLERANCE_MS:
            faults.append(f"its {name} length is {length} ms, not {original.duration_ms} ms")
    return faults
