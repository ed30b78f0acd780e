"""Limits for untrusted files: the arguments before every input, and the largest sizes that are accepted."""

from dataclasses import dataclass, replace
from typing import Literal

# The demuxer that is forced on the input, whatever its name or MIME type says.
Demuxer = Literal["matroska", "mov", "ogg", "mp3", "aac", "flac", "mpegts", "flv", "wav", "avi", "amr"]

# Names of decoders, not of codecs: without `libdav1d` AV1 is rejected. The libvpx pair reads the alpha plane of canvas
# recordings, which ffmpeg's own VP8 and VP9 decoders ignore.
_COPIED = "vp8,vp9,libvpx,libvpx-vp9,av1,libdav1d,h264,hevc,opus,libopus,vorbis,aac,mp3float,mp3,flac"
_ENCODED = (
    "mpeg4,h263,mjpeg,prores,mpeg2video,msmpeg4,wmv2,ac3,eac3,dca,mp2float,mp2,alac,amrnb,amrwb,speex,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw"
)
# Codecs of tracks that are not copied. ffprobe fails at the first track whose decoder it may not open, so these are
# allowed.
_LEFT_OUT = "png,bmp,gif,mov_text,subrip,srt,ass,ssa,webvtt,text,cc_dec,dvbsub,dvdsub,pgssub,theora,truehd"
DECODERS = f"{_COPIED},{_ENCODED},{_LEFT_OUT}"

# `subfile` opens a range of a file that we name, `concat` several; none of these formats can refer to another file
# (external data references of MP4 are off by default).
_PROTOCOLS = "file,pipe,subfile,concat"

# A browser writes two tracks, a phone's camera up to seven (motion data). Ten thousand are an attack.
_MAX_STREAMS = 16

# Largest single allocation inside ffmpeg. A 9-megapixel frame is 14 MB, the index of six hours about 60 MB.
MAX_ALLOC = 256 * 1024 * 1024

# Packets that any file may have (half an hour of sound), and how many bytes earn another one.
_PACKETS, _BYTES_PER_PACKET = 100_000, 8


@dataclass(frozen=True)
class Limits:
    """Caps on a recording; beyond them it is rejected."""

    max_seconds: float = 6 * 3600
    # 4096 x 2197; a 4K screen has 8.3 million. A 378 KB file of 15000 x 15000 takes 400 MB to decode.
    max_pixels: int = 9_000_000
    # Six hours of 120 frames and 50 sound packets per second are 3.7 million.
    max_packets: int = 8_000_000

    def for_size(self, size_bytes: int) -> "Limits":
        """The caps on a file of `size_bytes`: a packet of sound takes ten bytes or more, including its header."""
        return replace(self, max_packets=min(self.max_packets, _PACKETS + size_bytes // _BYTES_PER_PACKET))


DEFAULT_LIMITS = Limits()


def input_options(demuxer: Demuxer, limits: Limits = DEFAULT_LIMITS) -> dict[str, str]:
    """Options for `ffmpeg.input(path, **input_options(...))`, one set before each input.

    Without them a five-line playlist named `.webm` makes some versions of ffmpeg copy another file of this machine
    into the output, or call an address inside the network.
    """
    return {
        "f": demuxer,
        # A packet beyond the end of a cut file: some players stop at it, and ffmpeg's WebM muxer fails.
        "fflags": "+discardcorrupt",
        "protocol_whitelist": _PROTOCOLS,
        "format_whitelist": demuxer,
        "codec_whitelist": DECODERS,
        "max_pixels": str(limits.max_pixels),
        "max_streams": str(_MAX_STREAMS),
    }


def as_arguments(options: dict[str, str]) -> list[str]:
    """The same options as command line arguments, for ffprobe."""
    return [word for name, value in options.items() for word in (f"-{name}", value)]
