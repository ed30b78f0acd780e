"""A fast copy that was read and compared with its recording."""

from dataclasses import dataclass, replace

from worker.media.probing.playable import PlayableForm
from worker.media.probing.streams import AudioStream, VideoStream, Words, audio_stream, video_stream
from worker.media.probing.track import Track


@dataclass(frozen=True)
class Copy:
    """A fast copy that plays. Milliseconds, bytes; `bit_rate` in bits per second of the whole file.

    `video` and `audio` are the recording's tracks, with the codec and size that the copy states. `faults` says in words
    how the copy differs from the recording; it is empty for a complete copy.
    """

    video: VideoStream | None
    audio: AudioStream | None
    duration_ms: int
    size_bytes: int
    faults: tuple[str, ...] = ()

    @property
    def codecs(self) -> str:
        """The `codecs` parameter of its media type (RFC 6381)."""
        return ", ".join(stream.codec_string for stream in (self.video, self.audio) if stream)

    @property
    def bit_rate(self) -> int:
        """Bits per second of the whole file."""
        return self.size_bytes * 8000 // self.duration_ms


def copied_picture(original: VideoStream, words: Words, form: PlayableForm, frames: int) -> VideoStream:
    stated = video_stream(words, Track(is_video=True))
    return replace(
        original,
        frames=frames,
        codec=stated.codec,
        # The level of VP9 depends on the frame rate, which only the recording's packets show.
        codec_string=stated.codec_string if form.video_encoder else original.codec_string,
        width=stated.width,
        height=stated.height,
        rotation=stated.rotation,
        pixel_aspect=stated.pixel_aspect,
    )


def copied_sound(original: AudioStream, words: Words, form: PlayableForm) -> AudioStream:
    stated = audio_stream(words, Track(is_video=False))
    return replace(stated, packets=original.packets) if form.audio_encoder else original
