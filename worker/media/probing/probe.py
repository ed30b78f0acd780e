"""What an uploaded file contains: its tracks, its true duration, its gaps."""

from dataclasses import dataclass

from worker.media.containers.container import Part
from worker.media.containers.kinds import Container
from worker.media.errors import too_long
from worker.media.limits import Demuxer, Limits
from worker.media.probing.correction import Correction
from worker.media.probing.header import Header
from worker.media.probing.packet_timeline import Gap
from worker.media.probing.playable import SILENCE
from worker.media.probing.repairs import Repair
from worker.media.probing.streams import AudioStream, VideoStream, joined_audio, joined_video

# An encoder reorders at most 16 pictures; phones reorder two or three.
_MAX_BEHIND_EDIT_MS = 500


@dataclass(frozen=True)
class ProbedPart:
    """One recording of the file; nearly always there is one, the whole file."""

    part: Part
    duration_ms: int
    header_duration_ms: int | None
    video: VideoStream | None
    audio: AudioStream | None
    gaps: tuple[Gap, ...]
    truncated: bool
    # What was left out of it, and what was lost.
    repairs: tuple[Repair, ...] = ()
    # Where its clock jumps (in seconds of the file) and how far.
    jumps: tuple[tuple[float, float], ...] = ()
    # The correction of timestamps that go back.
    correction: Correction | None = None
    # Seconds from its start at which packets may be missing.
    places: tuple[float, ...] = ()


@dataclass(frozen=True)
class Probe:
    """The analysis of a recording. Milliseconds, bytes; `bit_rate` in bits per second of the whole file.

    `duration_ms` is the true duration, from the first packet to the end of the last one over both tracks and all
    `parts`; `header_duration_ms` is what the file states (None: nothing). `gaps` are holes of more than half a second
    in which neither track has anything. `truncated`: the end was cut off. At least one of `video` and `audio` is
    present. `mixed` are the audio tracks that are mixed, when there are several.
    """

    container: Container
    demuxer: Demuxer
    video: VideoStream | None
    audio: AudioStream | None
    duration_ms: int
    header_duration_ms: int | None
    bit_rate: int
    size_bytes: int
    gaps: tuple[Gap, ...]
    truncated: bool
    parts: tuple[ProbedPart, ...]
    mixed: tuple[int, ...] = ()
    lost_parts: int = 0

    @property
    def shown_ms(self) -> int:
        """The duration that players show.

        Less than `duration_ms` where an edit list of MP4 ends before pictures that others depend on.
        """
        stated = self.header_duration_ms
        if self.demuxer != "mov" or self.truncated or stated is None:
            return self.duration_ms
        return stated if 0 < self.duration_ms - stated <= _MAX_BEHIND_EDIT_MS else self.duration_ms

    @property
    def places(self) -> tuple[float, ...]:
        """Seconds from the start at which packets may be missing."""
        seconds: list[float] = []
        before = 0.0
        for part in self.parts:
            # Where one recording ends and the next begins, the picture's size or the decoder may change.
            seconds += [before + place for place in part.places] + ([before] if before else [])
            before += part.duration_ms / 1000
        return tuple(seconds)

    @property
    def unjoinable(self) -> frozenset[str]:
        """The tracks (`video`, `audio`) whose recordings cannot be joined without encoding."""
        pictures = {part.video.codec for part in self.parts if part.video}
        # Opus packets state their number of channels; other codecs need the header of their own part.
        sounds = {
            a.codec if a.codec == "opus" else f"{a.codec} {a.sample_rate} Hz {a.channels} channels"
            for a in (part.audio for part in self.parts)
            if a
        }
        is_silent = self.audio is not None and any(part.audio is None for part in self.parts)
        unjoinable = {"video"} if len(pictures) > 1 else set()
        if len(sounds) > 1 or (is_silent and self.audio and self.audio.codec not in SILENCE):
            unjoinable.add("audio")
        return frozenset(unjoinable)

    def codecs(self, track: str) -> tuple[str, ...]:
        """The distinct codecs of the `video` or `audio` of its recordings."""
        streams = [part.video if track == "video" else part.audio for part in self.parts]
        return tuple(dict.fromkeys(stream.codec for stream in streams if stream))

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was left out of the recording or is missing from it."""
        gaps = [Repair("gap", at_ms=gap.start_ms, length_ms=gap.length_ms) for gap in self.gaps]
        end = [Repair("cut-off", at_ms=self.duration_ms)] if self.truncated else []
        part_repairs = list(dict.fromkeys(repair for part in self.parts for repair in part.repairs))
        return (*part_repairs, *gaps, *end, *[Repair("part-lost")] * self.lost_parts)


def join(header: Header, parts: list[ProbedPart], limits: Limits) -> Probe:
    """Combine several parts into one probe, played one after another; the picture's size is the largest of theirs."""
    duration_ms = sum(part.duration_ms for part in parts)
    if duration_ms > limits.max_seconds * 1000:
        raise too_long(limits)
    gaps: list[Gap] = []
    before = 0
    for part in parts:
        gaps += [Gap(gap.start_ms + before, gap.length_ms) for gap in part.gaps]
        before += part.duration_ms
    return Probe(
        container=header.container,
        demuxer=header.demuxer,
        video=joined_video([part.video for part in parts if part.video], duration_ms),
        audio=joined_audio([part.audio for part in parts if part.audio]),
        duration_ms=duration_ms,
        header_duration_ms=parts[0].header_duration_ms if len(parts) == 1 else None,
        bit_rate=header.size_bytes * 8000 // duration_ms,
        size_bytes=header.size_bytes,
        gaps=tuple(gaps),
        truncated=any(part.truncated for part in parts),
        parts=tuple(parts),
    )
