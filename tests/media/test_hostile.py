"""Files that are not what they claim to be, or that attack the programs that read them."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import ffmpeg
import psutil
import pytest

from tests.waiting import TIMEOUT
from worker.media.errors import FfmpegFailed, MediaRejected
from worker.media.limits import Demuxer, Limits, input_options
from worker.media.pictures.poster import write_poster
from worker.media.probing.packet_reading import probe
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg

Make = Callable[[str], Path]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A service inside our network that nobody must be made to call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def was_called(server: socket.socket) -> bool:
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


@pytest.fixture
def scripts(make: Make, tmp_path: Path, listener: socket.socket) -> list[Path]:
    """Playlists and scripts, all named as recordings, that point at another tenant's file and at a service."""
    victim = tmp_path / "victim.webm"
    victim.write_bytes(make("vp8.webm").read_bytes())
    segment = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
    texts = {
        "hls-file": segment.format(f"file://{victim}"),
        "hls-relative": segment.format("victim.webm"),
        "hls-http": segment.format(f"http://127.0.0.1:{listener.getsockname()[1]}/secret.ts"),
        "hls-concat": segment.format(f"concat:{victim}|{victim}"),
        "hls-subfile": segment.format(f"subfile,,start,0,end,99999,,:{victim}"),
        "ffconcat": f"ffconcat version 1.0\nfile '{victim}'\n",
        "ffconcat-relative": "ffconcat version 1.0\nfile victim.webm\n",
        "sdp": f"v=0\nc=IN IP4 127.0.0.1\nm=video {listener.getsockname()[1]} RTP/AVP 96\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><BaseURL>file://{victim}</BaseURL></Period></MPD>',
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.webm").write_text(text)
        # The same behind the first bytes of a real recording.
        (tmp_path / f"{name}-magic.webm").write_bytes(b"\x1a\x45\xdf\xa3" + text.encode())
        (tmp_path / f"{name}-magic.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + text.encode())
    return [path for path in tmp_path.iterdir() if path != victim]


def test_no_script_is_taken_for_a_recording(scripts: list[Path], binaries: Binaries, listener: socket.socket) -> None:
    assert len(scripts) == 27
    for path in scripts:
        with pytest.raises(MediaRejected) as caught:
            probe(path, binaries)
        assert caught.value.reason in {"not-a-recording", "damaged", "missing-init"}, path.name
    assert not was_called(listener)


@pytest.mark.parametrize("demuxer", ["matroska", "mov"])
def test_ffmpeg_itself_opens_nothing_else(
    demuxer: Demuxer, scripts: list[Path], binaries: Binaries, listener: socket.socket, tmp_path: Path
) -> None:
    """The second wall: what would happen if a script came past the first bytes."""
    for path in scripts:
        graph = ffmpeg.input(str(path), **input_options(demuxer)).output(str(tmp_path / "stolen"), f="null")
        with pytest.raises(FfmpegFailed):
            run_ffmpeg(binaries, ffmpeg.get_args(graph), budget=Budget(TIMEOUT))
    assert not was_called(listener)


def test_the_options_alone_refuse_playlists(scripts: list[Path], binaries: Binaries, tmp_path: Path) -> None:
    """The third: without the forced demuxer ffmpeg guesses the format, and the list of formats still holds."""
    options = {name: value for name, value in input_options("matroska").items() if name != "f"}
    for path in scripts:
        graph = ffmpeg.input(str(path), **options).output(str(tmp_path / "stolen.mkv"), c="copy")
        with pytest.raises(FfmpegFailed):
            run_ffmpeg(binaries, ffmpeg.get_args(graph), budget=Budget(TIMEOUT))


@pytest.fixture
def bomb(make: Make, tmp_path: Path) -> Callable[[bool], Path]:
    """A recording of 9 KB whose frame says it is 15000 x 15000 (RFC 6386 §9.1), openly or only inside the frame."""

    def build(openly: bool) -> Path:
        data = make("one-frame.webm").read_bytes()
        frame = b"\x9d\x01\x2a" + (320).to_bytes(2, "little") + (180).to_bytes(2, "little")
        assert frame in data
        data = data.replace(frame, b"\x9d\x01\x2a" + (15000).to_bytes(2, "little") * 2)
        if openly:
            for identity, length in ((b"\xb0\x82", 320), (b"\xba", 180)):
                assert identity in data
                stated = identity + length.to_bytes(2, "big") if identity == b"\xb0\x82" else b"\xba\x81\xb4"
                assert stated in data
                # A size of one byte cannot say 15000; a picture 60000 wide is as bad.
                data = data.replace(stated, b"\xb0\x82\xea\x60" if identity == b"\xb0\x82" else b"\xba\x81\xff")
        path = tmp_path / "bomb.webm"
        path.write_bytes(data)
        return path

    return build


def test_a_huge_picture_is_refused_before_it_takes_memory(bomb: Callable[[bool], Path], binaries: Binaries) -> None:
    with pytest.raises(MediaRejected) as caught:
        probe(bomb(True), binaries)
    assert caught.value.reason == "too-large-picture"


def test_a_huge_picture_behind_a_modest_header_is_never_decoded(
    bomb: Callable[[bool], Path], binaries: Binaries, tmp_path: Path
) -> None:
    """Its decoder would take 400 MB; here it gets address space for the program alone."""
    media = probe(bomb(False), binaries)
    assert write_poster(tmp_path / "bomb.webm", tmp_path / "poster.jpg", media, binaries) is None
    graph = ffmpeg.input(str(tmp_path / "bomb.webm"), **input_options("matroska")).output("-", f="null")
    with pytest.raises(FfmpegFailed) as caught:
        run_ffmpeg(binaries, ffmpeg.get_args(graph), budget=Budget(TIMEOUT))
    assert "15000x15000 exceeds specified max pixel count" in caught.value.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x1a", "not-a-recording"),
        (b"this is a letter to my tutor\n" * 99, "not-a-recording"),
        (b"<html><body>502 Bad Gateway</body></html>", "not-a-recording"),
        (b"PK\x03\x04" + bytes(500), "not-a-recording"),
        (bytes(10_000), "not-a-recording"),
        (b"\x1a\x45\xdf\xa3", "damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(10_000), "damaged"),
        (b"\0\0\0\x10ftypisom\0\0\0\0", "missing-init"),
        (b"\0\0\0\x10moof" + bytes(1000), "missing-init"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_reason(
    content: bytes, reason: str, binaries: Binaries, tmp_path: Path
) -> None:
    (tmp_path / "lesson.webm").write_bytes(content)
    with pytest.raises(MediaRejected) as caught:
        probe(tmp_path / "lesson.webm", binaries)
    assert caught.value.reason == reason


def test_a_recording_without_its_first_chunk_is_told_so(make: Make, binaries: Binaries, tmp_path: Path) -> None:
    for start in (208, 40_000):
        (tmp_path / "f").write_bytes(make("chrome-vp9.webm").read_bytes()[start:])
        with pytest.raises(MediaRejected) as caught:
            probe(tmp_path / "f", binaries)
        assert caught.value.reason == "missing-init"
        assert "first chunk" in caught.value.detail


def test_a_header_without_a_lesson_has_no_length(make: Make, binaries: Binaries, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(make("chrome-vp9.webm").read_bytes()[:208])
    with pytest.raises(MediaRejected) as caught:
        probe(tmp_path / "f", binaries)
    assert caught.value.reason == "zero-length"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("theora.mkv", "unsupported-codec"),
        ("subtitles.mkv", "no-playable-stream"),
        ("many-tracks.mkv", "too-many-tracks"),
    ],
)
def test_tracks_that_no_browser_plays_are_refused(name: str, reason: str, make: Make, binaries: Binaries) -> None:
    with pytest.raises(MediaRejected) as caught:
        probe(make(name), binaries)
    assert caught.value.reason == reason


def test_noise_inside_a_recording_never_breaks_the_probe(
    make: Make, probed: Callable[[Path], Probe], tmp_path: Path
) -> None:
    """Every answer is a probe or a rejection; nothing else comes out, and nothing stays behind."""
    whole = bytearray(make("vp8.webm").read_bytes())
    before = set(psutil.Process().children())
    for seed in range(12):
        damaged = bytearray(whole)
        for n in range(40):
            damaged[(seed * 7919 + n * 104_729) % len(damaged)] ^= 0xFF
        (tmp_path / "f").write_bytes(damaged)
        try:
            media = probed(tmp_path / "f")
        except MediaRejected:
            continue
        assert media.duration_ms > 0
    assert set(psutil.Process().children()) <= before


def test_the_limits_reach_ffmpeg() -> None:
    options = input_options("mov", Limits(max_pixels=123))
    assert (options["f"], options["max_pixels"]) == ("mov", "123")
    assert "http" not in options["protocol_whitelist"]
