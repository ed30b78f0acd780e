"""Describe in words what is wrong with a fast copy."""

from pathlib import Path

from worker.media.containers import ebml, mp4_boxes
from worker.media.containers.kinds import container_of
from worker.media.copying.read_copy import CopyReading
from worker.media.limits import Demuxer
from worker.media.probing.playable import PlayableForm
from worker.media.probing.probe import Probe

# Packets per thousand that may be missing, and at least two: versions of ffmpeg treat broken packets differently.
_MISSING_PER_THOUSAND = 10
_MISSING_ALWAYS = 2


def wrong_tracks(reading: CopyReading, original: Probe, form: PlayableForm) -> list[str]:
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


def missing_packets(
    reading: CopyReading, original: Probe, form: PlayableForm, frame_loss: int, sound_loss: int
) -> list[str]:
    """Frames or packets that the copy lacks. Encoded tracks are not compared: encoders make packets of their own."""
    faults: list[str] = []
    frames = original.video.frames - frame_loss if original.video and not form.video_encoder else 0
    sounds = original.audio.packets - sound_loss if original.audio and not form.audio_encoder else 0
    for kind, name, expected in (("video", "frames", frames), ("audio", "packets of sound", sounds)):
        count = reading.packets.get(kind, 0)
        if expected - count > max(_MISSING_ALWAYS, expected * _MISSING_PER_THOUSAND // 1000):
            faults.append(f"it has {count} of {expected} {name}")
    return faults


def wrong_length(reading: CopyReading, form: PlayableForm) -> list[str]:
    """A wrong stated duration: players would end too early, or wait at the end."""
    # WebM states no duration for a single picture that has none.
    stated = reading.header.duration_ms or 0
    if not reading.differs(stated, form):
        return []
    return [f"its real length is {reading.duration_ms} ms, and it states {stated} ms"]


def length_difference(reading: CopyReading, original: Probe, form: PlayableForm) -> list[str]:
    """A length that differs from the recording's, both by its packets and as players show it."""
    if not all(reading.differs(expected_ms, form) for expected_ms in (original.duration_ms, original.shown_ms)):
        return []
    return [f"its real length is {reading.duration_ms} ms, not {original.duration_ms} ms"]


def container_faults(copy: Path, demuxer: Demuxer, form: PlayableForm) -> list[str]:
    """A wrong container, or an index after the pictures."""
    container, expected = container_of(copy, demuxer), form.container
    in_front = mp4_boxes.moov_is_in_front if demuxer == "mov" else ebml.cues_are_in_front
    return [
        *([] if container == expected else [f"it is {container}, not {expected}"]),
        *([] if in_front(copy) else ["its index is not in front"]),
    ]
