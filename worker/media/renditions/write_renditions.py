"""Write several renditions of a recording in one run of ffmpeg, which decodes it once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.changing_size import ONE_GRAPH, fitted, padded
from worker.media.decoding.loudness import levelled
from worker.media.decoding.transparency import alpha_decoder, on_paper
from worker.media.limits import input_options
from worker.media.probing.probe import Probe
from worker.media.probing.streams import VideoStream
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, copy_budget, never
from worker.media.processes.runner import run_ffmpeg
from worker.media.renditions.fit_picture import fitted_size, frame_rate
from worker.media.renditions.rendition_forms import PAGE_TURN, PICTURES, SOUNDS, PictureForm
from worker.media.renditions.rendition_options import colour_matrix, copied_options, picture_options, sound_options
from worker.media.whole_files import removed_on_failure


@dataclass(frozen=True)
class Recorded:
    """The fast copy of a recording on disk and its properties; `gain` in dB."""

    path: Path
    probed: Probe
    gain: float = 0.0


def write_renditions(
    recorded: Recorded,
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
    seconds = recorded.probed.duration_ms / 1000
    budget = Budget(
        wall_seconds=300 + 4 * seconds,
        stall_seconds=120,
        file_bytes=64 * 1024 * 1024 + recorded.probed.duration_ms * 300,
    )

    def write(names: Collection[str], *, tight: bool) -> None:
        outputs = _outputs(recorded, {name: targets[name] for name in names}, seconds, tight=tight)
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
    recorded: Recorded,
    target: Path,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> None:
    """Copy the picture of the recording. Raises what the runner raises; then `target` does not exist."""
    path = recorded.path
    media = ffmpeg.input(str(path.absolute()), **input_options(detect_demuxer(path)), an=None)
    words = ffmpeg.get_args(ffmpeg.output(media["v:0"], str(target.absolute()), **copied_options()))
    try:
        run_ffmpeg(binaries, words, budget=copy_budget(path.stat().st_size), should_stop=should_stop)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _outputs(recorded: Recorded, targets: Mapping[str, Path], seconds: float, *, tight: bool) -> list[Any]:
    pictures = [name for name in targets if name in PICTURES]
    sounds = [name for name in targets if name in SOUNDS]
    video = recorded.probed.video
    # Transparent pictures are put on paper before they are scaled, which takes one size.
    options = {**input_options(detect_demuxer(recorded.path)), **(_decoder(video) or ONE_GRAPH)}
    unused = {} if pictures and sounds else {"vn" if sounds else "an": None}
    media = ffmpeg.input(str(recorded.path.absolute()), **options, **unused)
    length = {"t": f"{seconds:.3f}"}
    outputs = []
    if pictures and video is not None:
        steady = _steady(media["v:0"], pictures, video)
        for name, branch in zip(pictures, _split(steady, len(pictures), "split"), strict=True):
            form = PICTURES[name]
            options = picture_options(form, video)
            picture = _picture(branch, form, video)
            outputs.append(ffmpeg.output(picture, str(targets[name].absolute()), **options, **length))
    if sounds:
        heard = levelled(_whole(media["a:0"], seconds), recorded.gain)
        for name, branch in zip(sounds, _split(heard, len(sounds), "asplit"), strict=True):
            options = sound_options(SOUNDS[name], tight=tight)
            outputs.append(ffmpeg.output(branch, str(targets[name].absolute()), **options, **length))
    return outputs


def _decoder(video: VideoStream | None) -> dict[str, str]:
    """The decoder for a transparent picture."""
    return alpha_decoder(video.codec, alpha=video.alpha) if video else {}


def _split(stream: Any, number: int, name: str) -> list[Any]:
    if number == 1:
        return [stream]
    branches = stream.filter_multi_output(name, number)
    return [branches[index] for index in range(number)]


def _whole(sound: Any, seconds: float) -> Any:
    """The sound from 0 to the end of the recording, with silence in its gaps."""
    return (
        sound.filter("aformat", sample_rates=48000, channel_layouts="mono")
        .filter("aresample", **{"async": 1000, "first_pts": 0})
        .filter("apad", whole_dur=f"{seconds:.3f}")
    )


def _steady(picture: Any, names: Sequence[str], video: VideoStream) -> Any:
    """What these renditions share: the picture from 0, at the highest of their rates, opaque, in its own size."""
    upright = picture.filter("setsar", "1") if video.aspect_is_wrong else picture
    # First, so that only frames that are kept are processed.
    rate = max(frame_rate(PICTURES[name], video.frame_rate) for name in names)
    steady = upright.filter("fps", rate, start_time=0)
    # H.264 has no transparency: browsers would show a black background.
    return on_paper(steady) if _decoder(video) else steady


def _picture(picture: Any, form: PictureForm, video: VideoStream) -> Any:
    """The picture up to the end of the recording, in the size, rate and colours of this form."""
    width, height = fitted_size(form, video.shown_size)
    matrix = colour_matrix(height)
    steady = picture.filter("fps", frame_rate(form, video.frame_rate), start_time=0)
    shaped = (
        padded(fitted(steady, width, height, out_color_matrix=matrix, out_range="tv"), width, height)
        .filter("format", "yuv420p")
        .filter("setparams", colorspace=matrix, color_primaries=matrix, color_trc=matrix, range="tv")
    )
    whole = shaped.filter("tpad", stop=-1, stop_mode="clone")
    return whole.filter("scdet", threshold=PAGE_TURN) if form.is_board else whole
