"""Files that are neither WebM nor MP4: accepted when a browser can play them, else refused with a reason."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from worker.media.containers.kinds import detect_demuxer
from worker.media.containers.parts import find_parts
from worker.media.copying.fast_copy import Copy
from worker.media.errors import MediaRejected
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]

H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
HTML = b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("head", "reason", "words"),
    [
        (b"GIF89a" + bytes(99), "not-a-recording", "GIF"),
        (b"\xff\xd8\xff\xe1" + bytes(99), "not-a-recording", "JPEG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "not-a-recording", "PNG"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(99), "not-a-recording", "WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "not-a-recording", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(99), "not-a-recording", "AVIF"),
        (b"PK\x03\x04" + bytes(500), "not-a-recording", "ZIP"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(99), "not-a-recording", "RAR"),
        (b"%PDF-1.7\n" + bytes(99), "not-a-recording", "PDF"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "not-a-recording", "playlist"),
        (HTML, "not-a-recording", "web page"),
        ("ጤና ይስጥልኝ, this is a letter to my tutor\n".encode() * 99, "not-a-recording", "text"),
        (b'{"error": "not found"}', "not-a-recording", "text"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9" + bytes(99), "unsupported-format", "Windows Media"),
        (bytes(10_000), "not-a-recording", "WebM"),
        (b"\0\0\0\x10moof" + bytes(1000), "missing-init", "beginning"),
    ],
)
def test_each_kind_has_its_own_sentence(head: bytes, reason: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "lesson.webm").write_bytes(head)
    with pytest.raises(MediaRejected) as caught:
        find_parts(tmp_path / "lesson.webm")
    assert caught.value.reason == reason
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("words", "demuxer", "container"),
    [
        ([*H264, "-c:a", "aac", "-f", "mpegts"], "mpegts", "mp4"),
        ([*H264, "-c:a", "aac", "-f", "flv"], "flv", "mp4"),
        (["-vn", "-c:a", "aac", "-f", "adts"], "aac", "mp4"),
        (["-vn", "-c:a", "libmp3lame", "-f", "mp3"], "mp3", "mp4"),
        (["-vn", "-c:a", "flac", "-f", "flac"], "flac", "mp4"),
        (["-vn", "-c:a", "pcm_s16le", "-f", "wav"], "wav", "mp4"),
        (["-c:v", "mpeg4", "-c:a", "pcm_s16le", "-f", "avi"], "avi", "mp4"),
        (["-vn", "-c:a", "libopus", "-f", "ogg"], "ogg", "webm"),
        ([*H264, "-c:a", "aac", "-f", "mov"], "mov", "mp4"),
    ],
)  # fmt: skip
def test_what_browsers_can_play_is_copied_from_any_container(
    words: list[str],
    demuxer: str,
    container: str,
    binaries: Binaries,
    play: Callable[[Path, Path], Copy],
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=3", "-f", "lavfi", "-i", "sine=d=3:r=48000"]
    subprocess.run([binaries.ffmpeg, "-v", "error", "-nostdin", *inputs, *words, source], check=True, timeout=TIMEOUT)
    if demuxer == "mov":
        # QuickTime before 2001, and some phones: no `ftyp`.
        whole = source.read_bytes()
        assert whole[4:8] == b"ftyp"
        source.write_bytes(b"\0\0\0" + bytes([whole[3]]) + b"free" + whole[8:])
    assert detect_demuxer(source) == demuxer
    assert play(source, tmp_path / "copy").duration_ms == pytest.approx(3000, abs=150)
    assert detect_demuxer(tmp_path / "copy") == {"mp4": "mov", "webm": "matroska"}[container]


def test_a_voice_recorder_s_amr_is_taken(play: Callable[[Path, Path], Copy], tmp_path: Path) -> None:
    """Frames of 12.2 kbit/s, each 20 ms: a byte of its kind and 31 bytes."""
    (tmp_path / "source").write_bytes(b"#!AMR\n" + (b"\x3c" + bytes(31)) * 100)
    assert detect_demuxer(tmp_path / "source") == "amr"
    assert play(tmp_path / "source", tmp_path / "copy").duration_ms == pytest.approx(2000, abs=150)


def test_mp3_is_known_with_and_without_a_tag(binaries: Binaries, tmp_path: Path) -> None:
    for name, words in (("tagged", []), ("bare", ["-id3v2_version", "0", "-write_xing", "0"])):
        target = tmp_path / name
        command = ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "sine=d=1:r=44100", "-c:a", "libmp3lame", *words]
        subprocess.run([binaries.ffmpeg, *command, "-f", "mp3", target], check=True, timeout=TIMEOUT)
        assert detect_demuxer(target) == "mp3"
