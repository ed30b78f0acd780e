"""Verify that the fast copy plays and is complete: all packets are counted, and those at both ends are listed.

A list of every packet would add nothing to this comparison, and takes ffprobe three times as long to print.
"""

import math
from collections.abc import Callable
from pathlib import Path

from worker.media.containers.kinds import detect_demuxer
from worker.media.copying.copy_faults import (
    container_faults,
    length_difference,
    missing_packets,
    wrong_length,
    wrong_tracks,
)
from worker.media.copying.fast_copy import Copy, copied_picture, copied_sound
from worker.media.copying.read_copy import read_copy
from worker.media.errors import MediaRejected, OutputDamaged
from worker.media.limits import Limits
from worker.media.probing.header import PartReading
from worker.media.probing.playable import PlayableForm
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never


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
    """Read the copy like untrusted input and compare it with the recording.

    `frame_loss` and `sound_loss` are the numbers of packets that may be missing. Raises OutputDamaged for a copy that
    players cannot play, and what the runner raises.
    """
    limits = Limits(max_seconds=math.inf)
    try:
        demuxer = detect_demuxer(copy)
        reading = read_copy(copy, PartReading(demuxer, binaries, limits, should_stop))
    except MediaRejected as error:
        raise OutputDamaged(f"The copy of the recording cannot be read: {error.detail}") from error
    unplayable = [
        *wrong_tracks(reading, probed, form),
        *wrong_length(reading, form),
        *container_faults(copy, demuxer, form),
    ]
    if unplayable:
        raise OutputDamaged(f"The copy of the recording is not right: {'; '.join(unplayable)}.")
    faults = (
        *missing_packets(reading, probed, form, frame_loss, sound_loss),
        *length_difference(reading, probed, form),
    )
    video, audio = reading.header.tracks.get("video"), reading.header.tracks.get("audio")
    return Copy(
        probed.video and copied_picture(probed.video, video, form, reading.packets["video"]) if video else None,
        probed.audio and copied_sound(probed.audio, audio, form) if audio else None,
        # What players show; it was compared with the packets.
        reading.header.duration_ms or reading.duration_ms,
        reading.header.part.length,
        faults,
    )
