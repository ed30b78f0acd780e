"""Write several renditions of a recording in one run of ffmpeg, which decodes it once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.changing_size import ONE_GRAPH
from worker.media.decoding.downmix import mono
from worker.media.decoding.loudness import levelled
from worker.media.limits import input_options
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, copy_budget, never
from worker.media.processes.runner import run_ffmpeg
from worker.media.renditions.picture_filters import decoder, rendition_picture, split, steady_picture
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.media.renditions.rendition_options import copied_options, picture_options, sound_options
from worker.media.whole_files import removed_on_failure


@dataclass(frozen=True)
class FastCopyFile:
    """The fast copy of a recording on disk and its properties.

    `gain` in dB. `cancels`: its channels cancel each other out in a mix.
    """

    path: Path
    probed: Probe
    gain: float = 0.0
    cancels: bool = False


def write_renditions(
    fast_copy: FastCopyFile,
    targets: Mapping[str, Path],
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write each rendition of `targets` (names of rendition_forms.py) to its path, decoding once.

    Sounds that come out too large are written again. `on_progress` gets seconds of media. Raises what the runner
    raises; then no target exists.
    """
    seconds = fast_copy.probed.duration_ms / 1000
    budget = Budget(
        wall_seconds=300 + 4 * seconds,
        stall_seconds=120,
        file_bytes=64 * 1024 * 1024 + fast_copy.probed.duration_ms * 300,
    )

    def write(names: Collection[str], *, tight: bool) -> None:
        outputs = _outputs(fast_copy, {name: targets[name] for name in names}, seconds, tight=tight)
        words = ffmpeg.get_args(ffmpeg.merge_outputs(*outputs))
        run_ffmpeg(binaries, words, budget=budget, should_stop=should_stop, on_progress=on_progress)

    with removed_on_failure(*targets.values()):
        write(targets, tight=False)
        too_large = [
            name
            for name, path in targets.items()
            if name in SOUNDS and path.stat().st_size > SOUNDS[name].most_bytes(seconds)
        ]
        if too_large:
            write(too_large, tight=True)


def write_copied(
    fast_copy: FastCopyFile,
    target: Path,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> None:
    """Copy the picture of the recording. Raises what the runner raises; then `target` does not exist."""
    path = fast_copy.path
    media = ffmpeg.input(str(path.absolute()), **input_options(detect_demuxer(path)), an=None)
    words = ffmpeg.get_args(ffmpeg.output(media["v:0"], str(target.absolute()), **copied_options()))
    try:
        run_ffmpeg(binaries, words, budget=copy_budget(path.stat().st_size), should_stop=should_stop)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _outputs(fast_copy: FastCopyFile, targets: Mapping[str, Path], seconds: float, *, tight: bool) -> list[Any]:
    pictures = [name for name in targets if name in PICTURES]
    sounds = [name for name in targets if name in SOUNDS]
    video = fast_copy.probed.video
    options = {**input_options(detect_demuxer(fast_copy.path)), **decoder(video), **ONE_GRAPH}
    unused = {} if pictures and sounds else {"vn" if sounds else "an": None}
    media = ffmpeg.input(str(fast_copy.path.absolute()), **options, **unused)
    length = {"t": f"{seconds:.3f}"}
    outputs = []
    if pictures and video is not None:
        steady = steady_picture(media["v:0"], pictures, video)
        for name, branch in zip(pictures, split(steady, len(pictures), "split"), strict=True):
            form = PICTURES[name]
            options = picture_options(form, video, seconds)
            picture = rendition_picture(branch, form, video)
            outputs.append(ffmpeg.output(picture, str(targets[name].absolute()), **options, **length))
    if sounds:
        heard = levelled(_whole(mono(media["a:0"], cancels=fast_copy.cancels), seconds), fast_copy.gain)
        for name, branch in zip(sounds, split(heard, len(sounds), "asplit"), strict=True):
            options = sound_options(SOUNDS[name], tight=tight)
            outputs.append(ffmpeg.output(branch, str(targets[name].absolute()), **options, **length))
    return outputs


def _whole(sound: Any, seconds: float) -> Any:
    """The sound from 0 to the end of the recording, with silence in its gaps."""
    return (
        sound.filter("aformat", sample_rates=48000)
        .filter("aresample", **{"async": 1000, "first_pts": 0})
        .filter("apad", whole_dur=f"{seconds:.3f}")
    )
