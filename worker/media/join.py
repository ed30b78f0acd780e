"""Several recordings of one lesson made into one: the page was reloaded, or the recorder stopped and started again."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.errors import MediaRejected
from worker.media.limits import DECODERS, Demuxer, input_options
from worker.media.probe import Probe, ProbedPart
from worker.media.runner import Budget, run_ffmpeg
from worker.media.streams import AudioStream
from worker.media.writing import write_packets

# Encoders for the silence of a part that was recorded without a microphone. Vorbis is missing on purpose: its
# packets can be read only with the header that its own encoder run made.
_SILENCE = {"opus": "libopus", "aac": "aac"}
# Two packets: Opus has 20 ms each, AAC at 44.1 kHz 23 ms, and both begin with a lead-in.
_SPARE_MS = 50


def join_parts(
    source: Path,
    probed: Probe,
    binaries: Binaries,
    folder: Path,
    budget: Budget,
    should_stop: Callable[[], bool],
) -> Any:
    """An input of ffmpeg that plays the parts of `source` one after another: sound is stream 0, picture stream 1.

    ffmpeg's concat demuxer pairs the streams of the parts by number, so each part is first copied into `folder`
    with its streams in one order; a part without sound gets silence. Each begins where the one before ends.
    """
    run = partial(run_ffmpeg, binaries, budget=budget, should_stop=should_stop)
    items: list[str] = []
    for number, part in enumerate(probed.parts):
        name = f"part_{number:03d}.mkv"
        tracks, options = _copy_part(source, part, probed.demuxer, probed.audio)
        copied = part.video.codec if part.video else None
        write_packets(tracks, str(folder / name), options, run, copied_picture=copied)
        items.append(f"file '{name}'\nduration {part.duration_ms / 1000:.3f}\n")
    with_picture = [number for number, part in enumerate(probed.parts) if part.video]
    if with_picture and with_picture[0] > 0:
        # The first file of a list declares the streams of all. When it has no picture, one that has both stands
        # before it and gives nothing but its streams.
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
    """Options of an input whose clock jumps or goes back: its packets are dropped and moved so that time goes on."""
    closed = "".join(f"-gte(TS*TB,{edge:.6f})*{length:.6f}/TB" for edge, length in part.jumps)
    jumps = [f"setts=ts='TS{closed}'"] if closed else []
    options: dict[str, str] = {}
    for stream in (part.video, part.audio):
        filters = [*(part.correction.filters(stream.index) if stream and part.correction else []), *jumps]
        if stream and filters:
            options[f"bsf:{stream.index}"] = ",".join(filters)
    return options


def _copy_part(
    source: Path, part: ProbedPart, demuxer: Demuxer, audio: AudioStream | None
) -> tuple[list[Any], dict[str, str]]:
    """The tracks of one part, sound first, and how they are written."""
    media = ffmpeg.input(
        part.part.address(source), **input_options(part.part.demuxer or demuxer), **packet_filters(part)
    )
    options = {"map_metadata": "-1", "map_chapters": "-1", "fflags": "+bitexact", "avoid_negative_ts": "make_zero"}
    streams = []
    if part.audio:
        streams.append(media[str(part.audio.index)])
    elif audio:
        streams.append(_silence(audio, part.duration_ms))
        options |= {"c:a": _SILENCE[audio.codec], "b:a": "16k", "ar": str(audio.sample_rate)}
    if part.video:
        streams.append(media[str(part.video.index)])
    return streams, {"f": "matroska", "c": "copy", **options}


def _silence(audio: AudioStream, duration_ms: int) -> Any:
    """A track of silence like the sound of the other parts."""
    if audio.codec not in _SILENCE:
        raise MediaRejected(
            "mixed-codecs",
            f"The file holds several recordings, some with {audio.codec} sound and some without, "
            "which cannot be joined. Upload them one by one.",
        )
    layout = "mono" if audio.channels == 1 else "stereo"
    # The encoder rounds up to whole packets; the last one must not run into the first of the next part.
    seconds = max(_SPARE_MS, duration_ms - _SPARE_MS) / 1000
    return ffmpeg.input(f"anullsrc=r={audio.sample_rate}:cl={layout}", f="lavfi", t=f"{seconds:.3f}").audio
