"""What browsers play: the container of the fast copy, and which tracks must be encoded for it."""

from dataclasses import dataclass
from typing import Literal

from worker.media.errors import MediaRejected

PlayableContainer = Literal["webm", "mp4"]
Encoder = Literal["h264", "aac", "opus"]

# Codecs that are copied, by ffprobe's names, and below them those that are decoded and encoded again. Browsers play the
# first group; HEVC only on some devices, but encoding it would take longer than that is worth.
COPIED_PICTURES = frozenset({"vp8", "vp9", "av1", "h264", "hevc"})
COPIED_SOUNDS = frozenset({"opus", "vorbis", "aac", "mp3", "flac"})
ENCODED_PICTURES = frozenset({"mpeg4", "h263", "mjpeg", "prores", "mpeg2video", "msmpeg4v3", "wmv2"})
ENCODED_SOUNDS = frozenset(
    {"ac3", "eac3", "dts", "mp2", "alac", "amr_nb", "amr_wb", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "speex"}
    | {f"pcm_{form}" for form in ("u8", "s8", "s16le", "s16be", "s24le", "s24be", "s32le", "s32be")}
    | {f"pcm_{form}" for form in ("f32le", "f32be", "f64le", "f64be", "alaw", "mulaw")}
)

_IN_WEBM = frozenset({"opus", "vorbis"})
_IN_MP4 = frozenset({"opus", "aac", "mp3", "flac"})


@dataclass(frozen=True)
class PlayableForm:
    """The file to write, and the encoders of tracks that cannot be copied into it (None: copied, or no such track)."""

    container: PlayableContainer
    video_encoder: Encoder | None
    audio_encoder: Encoder | None


def playable_form(video: str | None, audio: str | None) -> PlayableForm:
    """The form for a picture and a sound in these codecs; None for a missing track.

    Raises MediaRejected `unsupported-codec` for codecs that are neither copied nor encoded.
    """
    for codec, known in ((video, COPIED_PICTURES | ENCODED_PICTURES), (audio, COPIED_SOUNDS | ENCODED_SOUNDS)):
        if codec is not None and codec not in known:
            raise unsupported_codec(codec)
    video_encoder: Encoder | None = "h264" if video in ENCODED_PICTURES else None
    if _is_webm(video, audio):
        return PlayableForm("webm", None, None if audio is None or audio in _IN_WEBM else "opus")
    return PlayableForm("mp4", video_encoder, None if audio is None or audio in _IN_MP4 else "aac")


def _is_webm(video: str | None, audio: str | None) -> bool:
    """Whether to write WebM. VP8 plays only there; VP9 and AV1 go into MP4 only with sound that WebM cannot hold."""
    if video is None:
        return audio in _IN_WEBM
    return video == "vp8" or (video in {"vp9", "av1"} and audio not in _IN_MP4 - _IN_WEBM)


def unsupported_codec(name: str) -> MediaRejected:
    """The rejection of this codec."""
    return MediaRejected(
        "unsupported-codec",
        f"The recording uses the codec {name}, which browsers cannot play. Record with VP8, VP9, AV1 or H.264 and "
        "with Opus or AAC sound, or convert the file to MP4 and upload that.",
    )


# Encoders for the silence of a part recorded without a microphone. Vorbis is missing on purpose: its packets can be
# decoded only with the header from the same encoder run.
SILENCE = {"opus": "libopus", "aac": "aac"}
