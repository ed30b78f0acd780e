"""Whether the fast copy plays and is complete: all packets are read and counted, those at both ends are listed.

A list of every packet would add nothing to this comparison, and takes ffprobe three times as long to print.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from worker.media.containers import ebml, mp4_boxes
from worker.media.containers.container import Part
from worker.media.containers.kinds import container_of, detect_demuxer
from worker.media.copying.fast_copy import Copy, copied_picture, copied_sound
from worker.media.errors import MediaRejected, OutputDamaged
from worker.media.limits import Demuxer, Limits
from worker.media.probing.header import PartHeader, PartReading
from worker.media.probing.packet_timeline import PACKETS, Timeline
from worker.media.probing.playable import PlayableForm
from worker.media.probing.probe import Probe
from worker.media.probing.track import Track
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never

# The most by which the copy's duration may differ: less than anyone sees or hears.
TOLERANCE_MS = 100
# By then both tracks have begun, also with reordered frames and the hidden lead-in of an MP4.
_FIRST_PACKETS = 200
# The packets of the last seconds show a copy that is cut off, and usually include the last packet of each track.
_TAIL_SECONDS = 5.0

# Packets of a thousand that may be missing, and always two: versions of ffmpeg treat broken packets differently.
_MISSING_PER_THOUSAND = 10
_MISSING_ALWAYS = 2


@dataclass(frozen=True)
class _Reading:
    """What was read from the copy: the shown packets of each track, and its real duration.

    `begun_ms` ends when the last picture begins: the length of each picture in a WebM is a frame rate that ffmpeg
    guessed, half a second or more for a still board, where the recorder states none.
    """

    header: PartHeader
    packets: dict[str, int]
    duration_ms: int
    begun_ms: int

    def differs(self, expected_ms: int, form: PlayableForm) -> bool:
        """Whether its duration is not the expected one."""
        is_guessed = form.container == "webm" and form.video_encoder is None
        durations = (self.duration_ms, self.begun_ms) if is_guessed else (self.duration_ms,)
        return min(abs(duration_ms - expected_ms) for duration_ms in durations) > TOLERANCE_MS


def verify_copy(
    copy: Path,
    probed: Probe,
    form: PlayableForm,
    binaries: Binaries,
    *,
    frame_loss: int = 0,
    sound_loss: int = 0,
    should_stop: Callable[[], bool] = never,
) -> Copy:
    """Read the copy like untrusted input and compare it with the recording, of which so many packets may be missing.

    Raises OutputDamaged for a copy that players cannot play, and what the runner raises.
    """
    limits = Limits(max_seconds=math.inf)
    try:
        demuxer = detect_demuxer(copy)
        reading = _read(copy, PartReading(demuxer, binaries, limits, should_stop))
    except MediaRejected as error:
        raise OutputDamaged(f"The copy of the recording cannot be read: {error.detail}") from error
    unplayable = [*_wrong_tracks(reading, probed, form), *_wrong_length(reading, form), *_misfits(copy, demuxer, form)]
    if unplayable:
        raise OutputDamaged(f"The copy of the recording is not right: {'; '.join(unplayable)}.")
    faults = (*_missing(reading, probed, form, frame_loss, sound_loss), *_difference(reading, probed, form))
    video, audio = reading.header.tracks.get("video"), reading.header.tracks.get("audio")
    return Copy(
        probed.video and copied_picture(probed.video, video, form, reading.packets["video"]) if video else None,
        probed.audio and copied_sound(probed.audio, audio, form) if audio else None,
        # What players show; it was compared with the packets.
        reading.header.duration_ms or reading.duration_ms,
        reading.header.part.length,
        faults,
    )


def _read(copy: Path, reading: PartReading) -> _Reading:
    part = reading.header(copy, Part(0, copy.stat().st_size), count=True)
    tallies = {kind: Track(is_video=kind == "video") for kind in part.tracks}
    timeline = Timeline(
        {str(part.tracks[kind]["index"]): track for kind, track in tallies.items()}, reading.limits, whole=False
    )
    counts = {kind: int(part.tracks[kind].get("nb_read_packets", 0)) for kind in tallies}
    beginning, end = _ends(copy, part, reading, sum(counts.values()))
    timeline.read(beginning)
    # Before the end is read: in a short copy, or one with a single key frame, that begins at the beginning.
    packets = {kind: counts[kind] - tally.hidden for kind, tally in tallies.items()}
    timeline.read(end)
    ends = (tally.last if tally.is_video else tally.end for tally in tallies.values() if tally.packets)
    excess = max(tally.end for tally in tallies.values()) - max(ends, default=0.0)
    return _Reading(
        part, packets, max(1, round(timeline.seconds * 1000)), max(1, round((timeline.seconds - excess) * 1000))
    )


def _ends(copy: Path, header: PartHeader, reading: PartReading, count: int) -> tuple[list[str], list[str]]:
    """The first packets of a copy of `count` packets, and those of its last seconds, as ffprobe lists them."""
    lines: list[str] = []
    tail = max(0.0, (header.duration_ms or 0) / 1000 - _TAIL_SECONDS)
    intervals = f"%+#{_FIRST_PACKETS},{tail:.3f}%"
    reading.read(copy, header.part, ["-read_intervals", intervals, *PACKETS], lines.extend)
    first = min(_FIRST_PACKETS, count)
    return lines[:first], lines[first:]


def _wrong_tracks(reading: _Reading, original: Probe, form: PlayableForm) -> list[str]:
    """Tracks that are missing, or not in the expected codec."""
    faults: list[str] = []
    for kind, name, stream, encoder in (
        ("video", "picture", original.video, form.video_encoder),
        ("audio", "sound", original.audio, form.audio_encoder),
    ):
        track = reading.header.tracks.get(kind)
        codec = track["codec_name"] if track else None
        expected = stream and (encoder or stream.codec)
        if codec != expected:
            faults.append(f"its {name} is {codec}, not {expected}")
        elif stream and not reading.packets.get(kind):
            faults.append(f"its {name} is empty")
    return faults


def _missing(reading: _Reading, original: Probe, form: PlayableForm, frame_loss: int, sound_loss: int) -> list[str]:
    """What the copy lacks, in words; encoders make packets of their own."""
    faults: list[str] = []
    frames = original.video.frames - frame_loss if original.video and not form.video_encoder else 0
    sounds = original.audio.packets - sound_loss if original.audio and not form.audio_encoder else 0
    for kind, name, expected in (("video", "frames", frames), ("audio", "packets of sound", sounds)):
        count = reading.packets.get(kind, 0)
        if expected - count > max(_MISSING_ALWAYS, expected * _MISSING_PER_THOUSAND // 1000):
            faults.append(f"it has {count} of {expected} {name}")
    return faults


def _wrong_length(reading: _Reading, form: PlayableForm) -> list[str]:
    """A wrong stated duration: players would end too early, or wait at the end."""
    # A single picture without a duration: WebM then states no length at all.
    stated = reading.header.duration_ms or 0
    if not reading.differs(stated, form):
        return []
    return [f"its real length is {reading.duration_ms} ms, and it states {stated} ms"]


def _difference(reading: _Reading, original: Probe, form: PlayableForm) -> list[str]:
    if not all(reading.differs(expected_ms, form) for expected_ms in (original.duration_ms, original.shown_ms)):
        return []
    return [f"its real length is {reading.duration_ms} ms, not {original.duration_ms} ms"]


def _misfits(copy: Path, demuxer: Demuxer, form: PlayableForm) -> list[str]:
    """A wrong container, or an index behind the pictures."""
    container, expected = container_of(copy, demuxer), form.container
    in_front = mp4_boxes.moov_is_in_front if demuxer == "mov" else ebml.cues_are_in_front
    return [
        *([] if container == expected else [f"it is {container}, not {expected}"]),
        *([] if in_front(copy) else ["its index is not in front"]),
    ]
