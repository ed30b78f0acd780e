"""Write several renditions of a recording with one ffmpeg, which decodes it once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.budget import Budget, never
from worker.media.kinds import detect_demuxer
from worker.media.limits import input_options
from worker.media.loudness import levelled
from worker.media.probe import Probe
from worker.media.rendition_forms import (
    PICTURES,
    SOUNDS,
    PictureForm,
    colour_matrix,
    fitted_size,
    frame_rate,
    picture_options,
    sound_options,
)
from worker.media.runner import run_ffmpeg
from worker.media.streams import VideoStream
from worker.media.whole_files import removed_on_failure


@dataclass(frozen=True)
class Recorded:
    """The fast copy of a recording on disk and its properties; `gain` in dB; `keys`: seconds of its page turns."""

    path: Path
    probed: Probe
    gain: float = 0.0
    keys: Sequence[float] = ()


def write_renditions(
    recorded: Recorded,
    targets: Mapping[str, Path],
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write each rendition of `targets` (names of rendition_forms.py) to its path, all from one decoding.

    `on_progress` gets seconds of media. Raises what the runner raises; then no target exists.
    """
    seconds = recorded.probed.duration_ms / 1000
    words = ffmpeg.get_args(ffmpeg.merge_outputs(*_outputs(recorded, targets, seconds)))
    budget = Budget(
        wall_seconds=300 + 4 * seconds,
        stall_seconds=120,
        file_bytes=64 * 1024 * 1024 + recorded.probed.duration_ms * 300,
    )
    with removed_on_failure(*targets.values()):
        run_ffmpeg(binaries, words, budget=budget, should_stop=should_stop, on_progress=on_progress)


def _outputs(recorded: Recorded, targets: Mapping[str, Path], seconds: float) -> list[Any]:
    pictures = [name for name in targets if name in PICTURES]
    sounds = [name for name in targets if name in SOUNDS]
    unused = {} if pictures and sounds else {"vn" if sounds else "an": None}
    media = ffmpeg.input(str(recorded.path.absolute()), **input_options(detect_demuxer(recorded.path)), **unused)
    length = {"t": f"{seconds:.3f}"}
    outputs = []
    video = recorded.probed.video
    if pictures and video is not None:
        for name, branch in zip(pictures, _split(media["v:0"], len(pictures), "split"), strict=True):
            form = PICTURES[name]
            options = picture_options(form, video, recorded.keys if name == "board" else ())
            picture = _picture(branch, form, video)
            outputs.append(ffmpeg.output(picture, str(targets[name].absolute()), **options, **length))
    if sounds:
        heard = levelled(_whole(media["a:0"], seconds), recorded.gain)
        for name, branch in zip(sounds, _split(heard, len(sounds), "asplit"), strict=True):
            outputs.append(
                ffmpeg.output(branch, str(targets[name].absolute()), **sound_options(SOUNDS[name]), **length)
            )
    return outputs


def _split(stream: Any, number: int, name: str) -> list[Any]:
    if number == 1:
        return [stream]
    branches = stream.filter_multi_output(name, number)
    return [branches[index] for index in range(number)]


def _whole(sound: Any, seconds: float) -> Any:
    """The sound from 0 to the end of the recording, with silence where it has a hole."""
    return (
        sound.filter("aformat", sample_rates=48000, channel_layouts="mono")
        .filter("aresample", **{"async": 1000, "first_pts": 0})
        .filter("apad", whole_dur=f"{seconds:.3f}")
    )


def _picture(picture: Any, form: PictureForm, video: VideoStream) -> Any:
    """The picture from 0 to the end of the recording, in the size, rate and colours of this form."""
    width, height = fitted_size(form, video.shown_size)
    upright = picture.filter("setsar", "1") if video.aspect_is_wrong else picture
    # Dropped first: only frames that are kept are scaled.
    steady = upright.filter("fps", frame_rate(form, video.frame_rate), start_time=0)
    shaped = (
        steady.filter("scale", "max(2,iw*sar)", "ih")
        .filter("setsar", "1")
        .filter(
            "scale",
            width,
            height,
            force_original_aspect_ratio="decrease",
            out_color_matrix=colour_matrix(height),
            out_range="tv",
        )
        .filter("pad", width, height, "-1", "-1")
        .filter("setsar", "1")
        .filter("format", "yuv420p")
    )
    return shaped.filter("tpad", stop=-1, stop_mode="clone")
