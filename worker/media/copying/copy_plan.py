"""The plan of a fast copy: what is copied, what is encoded, and the repairs that result."""

from dataclasses import dataclass

from worker.media.containers.container import Part
from worker.media.limits import Demuxer
from worker.media.probing.playable import PlayableForm
from worker.media.probing.probe import Probe
from worker.media.probing.repairs import Repair


@dataclass(frozen=True)
class CopyPlan:
    """What to copy: these tracks (by index) of this part of the source. Equal plans give equal copies."""

    form: PlayableForm
    demuxer: Demuxer
    size_bytes: int
    part: Part
    video: int | None
    # If several, they are mixed into one.
    sounds: tuple[int, ...]
    alpha: bool
    hevc: bool
    # The display size to state instead of an impossible aspect ratio.
    aspect: str | None = None
    # Set for a file of several recordings: they are joined, and `part` and the tracks are those of the first.
    probe_to_join: Probe | None = None
    # Set when a track is encoded.
    probe_to_encode: Probe | None = None
    # Input options that drop or move packets.
    packet_filters: tuple[tuple[str, str], ...] = ()
    # The codec of the picture, if it is copied.
    copied_picture: str | None = None

    @property
    def mime(self) -> str:
        """The media type of the copy, without parameters."""
        return f"{'audio' if self.video is None else 'video'}/{self.form.container}"

    @property
    def encodes_picture(self) -> bool:
        """Whether the picture is encoded while the copy is written; of joined recordings each is encoded beforehand."""
        return self.form.video_encoder is not None and self.probe_to_join is None

    @property
    def encodes_sound(self) -> bool:
        """As `encodes_picture`, for the sound."""
        return self.form.audio_encoder is not None and self.probe_to_join is None

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """The repairs `encoded`, one for each track and codec."""
        if self.probe_to_encode is None:
            return ()
        encoded = (("video", self.form.video_encoder), ("audio", self.form.audio_encoder))
        return tuple(
            Repair("encoded", track=track, codec=codec)
            for track, encoder in encoded
            if encoder
            for codec in self.probe_to_encode.codecs(track)
        )
