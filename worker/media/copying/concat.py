"""Join several recordings of one lesson: the page was reloaded, or the recorder stopped and started again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.copying.encode import PICTURE, SOUND, STRICT_PICTURE, encoded_size, picture_filters, sound_filters
from worker.media.copying.writing import write_packets
from worker.media.limits import DECODERS, input_options
from worker.media.probing.playable import SILENCE, PlayableForm
from worker.media.probing.probe import Probe, ProbedPart
from worker.media.probing.streams import AudioStream
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg

# Two packets: one lasts 20 ms in Opus, 23 ms in AAC at 44.1 kHz, and both begin with a lead-in.
_SPARE_MS = 50


def join_parts(
    source: Path,
    probed: Probe,
    form: PlayableForm,
    binaries: Binaries,
    folder: Path,
    budget: Budget,
    should_stop: Callable[[], bool],
) -> Any:
    """An input of ffmpeg that plays the parts of `source` one after another: sound is stream 0, picture stream 1.

    ffmpeg's concat demuxer pairs the streams of the parts by number, so each part is first copied into `folder` with
    its streams in one order, or encoded as `form` says; a part without sound gets silence. Each begins where the one
    before ends.
    """
    run = partial(run_ffmpeg, binaries, budget=budget, should_stop=should_stop)
    items: list[str] = []
    for number, part in enumerate(probed.parts):
        name = f"part_{number:03d}.mkv"
        tracks, options = _write_part(source, part, probed, form)
        copied = part.video.codec if part.video and not form.video_encoder else None
        write_packets(tracks, str(folder / name), options, run, copied_picture=copied)
        items.append(f"file '{name}'\nduration {part.duration_ms / 1000:.3f}\n")
    with_picture = [number for number, part in enumerate(probed.parts) if part.video]
    if with_picture and with_picture[0] > 0:
        # The first file of a list declares the streams of all. If it has no picture, the first part with one is listed
        # before it with no duration, only for its streams.
        items.insert(0, f"file 'part_{with_picture[0]:03d}.mkv'\noutpoint 0\nduration 0\n")
    playlist = folder / "parts.ffconcat"
    playlist.write_text("ffconcat version 1.0\n" + "".join(items), encoding="ascii")
    return ffmpeg.input(
        str(playlist),
        f="concat",
        protocol_whitelist="file",
        format_whitelist="concat,matroska",
        codec_whitelist=DECODERS,
    )


def packet_filters(part: ProbedPart) -> dict[str, str]:
    """Options for an input whose clock jumps or runs backwards, which drop or shift packets so that time increases."""
    closed = "".join(f"-gte(TS*TB,{edge:.6f})*{length:.6f}/TB" for edge, length in part.jumps)
    jumps = [f"setts=ts='TS{closed}'"] if closed else []
    options: dict[str, str] = {}
    for stream in (part.video, part.audio):
        filters = [*(part.correction.filters(stream.index) if stream and part.correction else []), *jumps]
        if stream and filters:
            options[f"bsf:{stream.index}"] = ",".join(filters)
    return options


def _write_part(source: Path, part: ProbedPart, probed: Probe, form: PlayableForm) -> tuple[list[Any], dict[str, Any]]:
    """The tracks of one part, sound first, and the options to write them."""
    strict = STRICT_PICTURE if part.video and form.video_encoder else {}
    demuxer = part.part.demuxer or probed.demuxer
    media = ffmpeg.input(part.part.address(source), **input_options(demuxer), **strict, **packet_filters(part))
    options: dict[str, Any] = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact"}
    options |= {"f": "matroska", "avoid_negative_ts": "make_zero", "c": "copy"}
    tracks = []
    if probed.audio:
        track, encoding = _sound(media, part, probed.audio, form)
        tracks.append(track)
        options |= encoding
    if part.video and probed.video and form.video_encoder:
        tracks.append(picture_filters(media[str(part.video.index)], part.video, encoded_size(probed.video)))
        # With B-frames the first decoding time would be before the start of the part.
        options |= PICTURE | {"bf": 0}
    elif part.video:
        tracks.append(media[str(part.video.index)])
    return tracks, options


def _sound(media: Any, part: ProbedPart, audio: AudioStream, form: PlayableForm) -> tuple[Any, dict[str, Any]]:
    """The sound of one part, or silence if it has none, and its encoder options."""
    # Encoders round up to whole packets; the last one must not overlap the first of the next part.
    seconds = max(_SPARE_MS, part.duration_ms - _SPARE_MS) / 1000
    if part.audio and form.audio_encoder:
        track = sound_filters([media[str(part.audio.index)]]).filter("atrim", end=f"{seconds:.3f}")
    elif part.audio:
        return media[str(part.audio.index)], {}
    else:
        layout = "mono" if audio.channels == 1 else "stereo"
        track = ffmpeg.input(f"anullsrc=r={audio.sample_rate}:cl={layout}", f="lavfi", t=f"{seconds:.3f}").audio
    if form.audio_encoder:
        return track, SOUND[form.audio_encoder]
    return track, {"c:a": SILENCE[audio.codec], "b:a": "16k", "ar": str(audio.sample_rate)}
