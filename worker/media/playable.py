"""Which file a browser can play without any new encoding: the rule behind the fast copy."""

from dataclasses import dataclass
from typing import Literal

from worker.media.errors import MediaRejected
from worker.media.probe import Probe
from worker.media.streams import AudioStream, VideoStream

PlayableContainer = Literal["webm", "mp4"]


@dataclass(frozen=True)
class PlayableForm:
    """The fast copy to be written. `mime` has no parameter; `codecs` is its `codecs` parameter (RFC 6381)."""

    container: PlayableContainer
    extension: str
    mime: str
    codecs: str


# (video, audio) -> container; None for a track that is not there. VP9 and AV1 go to MP4 only with AAC, which WebM
# cannot hold. HEVC is copied too: some devices play it at once, and the renditions serve the others.
_CONTAINERS: dict[tuple[str | None, str | None], PlayableContainer] = {
    **{(video, audio): "webm" for video in ("vp8", "vp9", "av1", None) for audio in ("opus", "vorbis")},
    **{(video, audio): "mp4" for video in ("h264", "hevc") for audio in ("opus", "aac", None)},
    **{(video, None): "webm" for video in ("vp8", "vp9", "av1")},
    **{(video, "aac"): "mp4" for video in ("vp9", "av1", None)},
}


def container_for(video: VideoStream | None, audio: AudioStream | None) -> PlayableContainer:
    """The container of the fast copy of these tracks; MediaRejected `unsupported-codec` when no browser plays them."""
    pair = (video.codec if video else None, audio.codec if audio else None)
    container = _CONTAINERS.get(pair)
    if container is None:
        raise MediaRejected(
            "unsupported-codec",
            f"No browser plays {pair[0]} pictures together with {pair[1]} sound. "
            "Record with VP8 or VP9 and Opus, or with H.264 and AAC.",
        )
    return container


def playable_form(probe: Probe) -> PlayableForm:
    """The form of the fast copy of this recording. Raises as `container_for`."""
    video, audio = probe.video, probe.audio
    container = container_for(video, audio)
    return PlayableForm(
        container=container,
        extension=container,
        mime=f"{'video' if video else 'audio'}/{container}",
        codecs=", ".join(stream.codec_string for stream in (video, audio) if stream),
    )
