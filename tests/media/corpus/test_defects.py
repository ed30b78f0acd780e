"""The defect corpus: recordings broken in ways that people report, and what must become of each.

`Plays` says how long the copy must be and which repairs must be named; every copy is decoded from end to end. `Refused`
names the reason. Nothing of it may fail in any other way.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.media.corpus.conftest import Kit, Shown
from tests.waiting import TIMEOUT
from worker.media.errors import MediaRejected
from worker.media.processes.binaries import Binaries
from worker.recordings.ingest.draft import Draft


@dataclass(frozen=True)
class Plays:
    """A copy of so many seconds, give or take `within`, of which these kinds of repairs are named."""

    seconds: float
    repairs: frozenset[str] = frozenset()
    within: float = 0.25


@dataclass(frozen=True)
class Refused:
    """No copy, for this reason."""

    reason: str


def plays(seconds: float, *repairs: str, within: float = 0.25) -> Plays:
    return Plays(seconds, frozenset(repairs), within)


Build = Callable[[Any], bytes]
# Units of a second in the movie header that ffmpeg writes.
MOVIE_SCALE = 48000
EDITS = (b"moov", b"trak", b"edts", b"elst")


def edits(*entries: tuple[float, float | None]) -> Callable[[bytes], bytes]:
    """Edit lists of these (duration, time in the media or None for nothing) in seconds, for picture and sound."""
    media_scales = iter((10240, 48000))

    def edit(_box: bytes) -> bytes:
        scale = next(media_scales)
        table = b"".join(
            round(duration * MOVIE_SCALE).to_bytes(4, "big")
            + (0xFFFFFFFF if time is None else round(time * scale)).to_bytes(4, "big")
            + b"\0\1\0\0"
            for duration, time in entries
        )
        return (16 + len(table)).to_bytes(4, "big") + b"elst" + bytes(4) + len(entries).to_bytes(4, "big") + table

    return edit


def replaced(box: bytes, at: int, value: bytes) -> bytes:
    return box[:at] + value + box[at + len(value) :]


def with_large_data(whole: bytes) -> bytes:
    """With the size of `mdat` in 64 bits; ffmpeg leaves an empty box in front of it for just that."""
    at = whole.index(b"mdat") - 4
    assert whole[at - 8 : at] == b"\0\0\0\x08free"
    length = int.from_bytes(whole[at : at + 4], "big") + 8
    return whole[: at - 8] + b"\0\0\0\1mdat" + length.to_bytes(8, "big") + whole[at + 8 :]


# A duration of ten hours in the header of a WebM that ffmpeg finished (Duration, a float of 8 bytes).
def with_duration(whole: bytes, value: bytes) -> bytes:
    at = whole.index(b"\x44\x89\x88")
    return replaced(whole, at + 3, value)


WEBM_CUTS: dict[str, tuple[Build, Plays | Refused]] = {
    "chrome-vp9-cut-30": (lambda k: k.cut("vp9.webm", 0.3), plays(3.8, "cut-off")),
    "chrome-vp9-cut-90": (lambda k: k.cut("vp9.webm", 0.9), plays(10.7, "cut-off")),
    "chrome-h264-cut": (lambda k: k.cut("h264.webm", 0.6), plays(4.5, "cut-off")),
    "chrome-sound-cut": (lambda k: k.cut("audio.webm", 0.5), plays(4.0, "cut-off")),
    "webm-one-byte-short": (lambda k: k.whole("vp8")[:-1], plays(6.0, "cut-off")),
    "webm-cut-in-first-cluster": (lambda k: k.cut("vp8", 0.08), plays(0.5, "cut-off")),
    "webm-cut-in-header": (lambda k: k.whole("vp8")[:120], Refused("damaged")),
    "webm-only-header": (lambda k: k.clusters("vp8")[0], Refused("zero-length")),
    "finished-webm-cut": (lambda k: k.cut("finished", 0.5), plays(3.0, "cut-off")),
    "mkv-cut": (lambda k: k.cut("mkv", 0.5), plays(3.0, "cut-off")),
    "ogg-cut": (lambda k: k.cut("ogg", 0.5), plays(3.0, "cut-off")),
    "webm-first-chunk-lost": (lambda k: b"".join(k.clusters("vp8")[1]), Refused("missing-init")),
}

MP4_CUTS: dict[str, tuple[Build, Plays | Refused]] = {
    "chrome-avc1-opus-cut-in-first-fragment": (
        lambda k: k.whole("recordings/cut0_cap_mp4_avc1_opus.mp4"), plays(4.5, "cut-off", "sound-lost")),
    "safari-cut": (lambda k: k.whole("recordings/cut0_mp4_safari.mp4"), plays(2.7, "cut-off")),
    "fmp4-cut-in-index-of-fragment": (
        lambda k: b"".join([k.fragments("fmp4")[0], *k.fragments("fmp4")[1][:4], k.fragments("fmp4")[1][4][:60]]),
        plays(4.0, "cut-off")),
    "fmp4-cut-in-data": (
        lambda k: b"".join([k.fragments("fmp4")[0], *k.fragments("fmp4")[1][:4], k.fragments("fmp4")[1][4][:-900]]),
        plays(5.0, "cut-off")),
    "fmp4-cut-in-box-header": (
        lambda k: b"".join([k.fragments("fmp4")[0], *k.fragments("fmp4")[1][:4], k.fragments("fmp4")[1][4][:5]]),
        plays(4.0)),
    "fmp4-vp9-cut": (lambda k: k.cut("fmp4-vp9", 0.6), plays(3.9, "cut-off")),
    "fmp4-only-index": (lambda k: k.fragments("fmp4")[0], Refused("zero-length")),
    "fmp4-without-index": (lambda k: b"".join(k.fragments("fmp4")[1]), Refused("missing-init")),
    "faststart-cut": (lambda k: k.cut("faststart", 0.6), plays(3.5, "cut-off")),
    "plain-mp4-cut": (lambda k: k.cut("plain", 0.6), Refused("missing-init")),
    "mp4-zeros-at-the-end": (lambda k: k.whole("fmp4") + bytes(50_000), plays(6.0)),
    "webm-zeros-at-the-end": (lambda k: k.whole("vp8") + bytes(50_000), plays(6.0, "cut-off")),
}  # fmt: skip

GLUED: dict[str, tuple[Build, Plays | Refused]] = {
    "webm-twice": (lambda k: k.whole("vp8") * 2, plays(12.0)),
    "webm-ten-times": (lambda k: k.whole("small") * 10, plays(60.0, within=0.5)),
    "webm-cut-and-begun-again": (lambda k: k.cut("vp8", 0.5) + k.whole("vp8"), plays(9.0, "cut-off")),
    "webm-sound-then-picture": (lambda k: k.whole("sound") + k.whole("vp8"), plays(12.0)),
    "webm-picture-then-sound": (lambda k: k.whole("picture") + k.whole("vp8"), plays(12.0)),
    "fmp4-twice": (lambda k: k.whole("fmp4") * 2, plays(12.0)),
    "fmp4-cut-in-data-and-begun-again": (
        lambda k: k.cut("fmp4", 0.6) + k.whole("fmp4"), plays(9.6, "cut-off")),
    "fmp4-cut-in-index-and-begun-again": (
        lambda k: b"".join([k.fragments("fmp4")[0], *k.fragments("fmp4")[1][:3], k.fragments("fmp4")[1][3][:99]])
        + k.whole("fmp4"), plays(9.0, "cut-off")),
    "fmp4-then-an-unfinished-mp4": (lambda k: k.whole("fmp4") + k.cut("plain", 0.5), plays(6.0, "part-lost")),
    "webm-then-mp4": (lambda k: k.whole("vp9") + k.whole("fmp4-vp9"), plays(12.0)),
    "mp4-then-webm": (lambda k: k.whole("fmp4-vp9") + k.whole("vp9"), plays(12.0)),
    "vp8-then-vp9": (lambda k: k.whole("vp8") + k.whole("vp9"), plays(12.0, "encoded")),
    "webm-then-h264-mp4": (lambda k: k.whole("vp9") + k.whole("fmp4") + k.whole("odd"), plays(18.0, "encoded")),
    "opus-then-vorbis": (lambda k: k.whole("sound") + k.whole("vorbis"), plays(12.0, "encoded")),
    "vp8-opus-then-vp8-vorbis": (lambda k: k.whole("vp8") + k.whole("vp8-vorbis"), plays(12.0, "encoded")),
    "vp8-vorbis-then-picture-alone": (lambda k: k.whole("vp8-vorbis") + k.whole("picture"), plays(12.0, "encoded")),
    "webm-then-html": (lambda k: k.whole("vp8") + b"<html><body>504 Timeout</body></html>", plays(6.0, "cut-off")),
    "multipart-then-webm": (lambda k: b"--x\r\nContent-Type: video/webm\r\n\r\n" + k.whole("vp8"), plays(6.0)),
    "multipart-then-mp4": (lambda k: b"--x\r\nContent-Type: video/mp4\r\n\r\n" + k.whole("fmp4"), plays(6.0)),
    "lost-beginning-then-webm": (
        lambda k: b"".join(k.clusters("vp8")[1][:2]) + k.whole("vp8"), plays(6.0, "part-lost")),
    "webm-then-a-header": (lambda k: k.whole("vp8") + k.whole("vp8")[:40], plays(6.0, "cut-off")),
    "201-recordings": (lambda k: k.whole("recordings/one_frame_cap_vp9.webm") * 201, Refused("damaged")),
}  # fmt: skip

SLICES: dict[str, tuple[Build, Plays | Refused]] = {
    "webm-cluster-lost": (lambda k: k.with_clusters("vp8", [0, 1, 3, 4, 5]), plays(6.0, "gap")),
    "webm-cluster-doubled": (lambda k: k.with_clusters("vp8", [0, 1, 2, 2, 3, 4, 5]), plays(6.0, "repeated")),
    "chrome-av1-slice-doubled": (lambda k: k.whole("recordings/twice_cap_av1_webm.webm"), plays(5.0, "repeated")),
    "webm-clusters-swapped": (lambda k: k.with_clusters("vp8", [0, 1, 3, 2, 4, 5]), plays(6.0, "reordered")),
    "webm-slice-lost": (lambda k: k.lost("vp9", 0.42, 0.58), plays(6.0, "gap", "pictures-dropped")),
    "webm-zeros-in-the-middle": (lambda k: k.zeroed("vp8", 0.45, 0.5), plays(6.0, "gap")),
    "fmp4-fragment-lost": (lambda k: k.without_fragment(2), plays(6.0, "gap")),
    "fmp4-slice-lost-inside-boxes": (lambda k: k.lost("fmp4", 0.42, 0.58), plays(6.0, "gap")),
    "fmp4-fragment-doubled": (lambda k: k.with_fragments([0, 1, 2, 2, 3, 4, 5]), plays(6.0)),
    "fmp4-fragments-swapped": (lambda k: k.with_fragments([0, 1, 3, 2, 4, 5]), plays(6.0, "reordered")),
    "fmp4-fragments-swapped-and-cut": (
        lambda k: k.with_fragments([0, 2, 1, 3, 4, 5])[:-900],
        plays(5.0, "reordered", "cut-off"),
    ),
    "fmp4-fragments-shuffled-and-one-lost": (
        lambda k: k.with_fragments([0, 4, 1, 3, 5]),
        plays(6.0, "reordered", "gap"),
    ),
    "fmp4-zeros-in-data": (lambda k: k.zeroed("fmp4", 0.45, 0.46), plays(6.0, "pictures-dropped")),
    "fmp4-zeros-over-boxes": (lambda k: k.zeroed("fmp4", 0.3, 0.5), plays(6.0, "gap")),
}

SIZES: dict[str, tuple[Build, Plays | Refused]] = {
    "webm-void-between-clusters": (
        lambda k: k.clusters("vp8")[0] + b"\xec\x41\x00" + bytes(256) + b"".join(k.clusters("vp8")[1]), plays(6.0)),
    "webm-unknown-element": (lambda k: k.whole("vp8") + b"\x5f\xff\x84new!", plays(6.0)),
    "webm-duration-of-ten-hours": (
        lambda k: with_duration(k.whole("finished"), b"\x41\x81\x2a\x88\x00\x00\x00\x00"), plays(6.0)),
    "webm-duration-is-no-number": (
        lambda k: with_duration(k.whole("finished"), b"\x7f\xf8\x00\x00\x00\x00\x00\x00"), plays(6.0)),
    "webm-duration-below-zero": (
        lambda k: with_duration(k.whole("finished"), b"\xc0\xb3\x88\x00\x00\x00\x00\x00"), plays(6.0)),
    "mp4-data-to-the-end": (
        lambda k: b"".join(b"\0\0\0\0" + box[4:] if box[4:8] == b"mdat" else box for box in k.boxes("faststart")),
        plays(6.0)),
    "mp4-data-of-64-bit-size": (lambda k: with_large_data(k.whole("plain")), plays(6.0)),
    "mp4-quicktime-without-ftyp": (
        lambda k: b"\0\0\0" + k.whole("plain")[3:4] + b"wide" + k.whole("plain")[8:], plays(6.0)),
    "mp4-length-of-zero-in-its-index": (
        lambda k: k.inside("faststart", lambda box: replaced(box, 24, bytes(4)), b"moov", b"mvhd"), plays(6.0)),
    "webm-a-million-empty-elements": (lambda k: k.whole("vp8") + b"\xec\x80" * 1_000_000, Refused("too-complex")),
    "webm-cluster-ids": (lambda k: k.whole("vp8") + b"\x1f\x43\xb6\x75" * 100_000, Refused("too-complex")),
    "mp4-free-boxes": (lambda k: k.whole("fmp4") + b"\0\0\0\x08free" * 200_000, Refused("too-complex")),
    "mp4-two-edits": (lambda k: k.inside("plain", edits((2, 0), (2, 4)), *EDITS), plays(4.0)),
    # The second edit ends among pictures that are stored in another order than they are shown.
    "mp4-two-edits-of-b-frames": (
        lambda k: k.inside("b-frames-plain", edits((1.5, 0.2), (1.5, 4.3)), *EDITS),
        plays(3.0, "encoded", within=0.11)),
    "mp4-empty-edit-first": (lambda k: k.inside("plain", edits((1, None), (6, 0)), *EDITS), plays(6.0)),
    "mp4-five-thousand-edits": (
        lambda k: k.inside("plain", edits(*[(0.001, 0)] * 5000), *EDITS), Refused("too-complex")),
}  # fmt: skip

TRACKS: dict[str, tuple[Build, Plays | Refused]] = {
    "mp4-subtitles": (lambda k: k.whole("subtitled"), plays(6.0, "track-left-out")),
    "mkv-subtitles": (lambda k: k.whole("captioned"), plays(6.0, "track-left-out")),
    "mp4-second-sound": (lambda k: k.whole("two-sounds"), plays(6.0, "sounds-mixed", "encoded")),
    "forty-tracks": (lambda k: k.whole("tracks"), Refused("too-many-tracks")),
    "late-sound": (lambda k: k.whole("late-sound"), plays(6.0)),
    "picture-alone": (lambda k: k.whole("picture"), plays(6.0)),
    "sound-alone": (lambda k: k.whole("sound"), plays(6.0)),
    "theora": (lambda k: k.whole("theora"), Refused("unsupported-codec")),
    "mpeg4": (lambda k: k.whole("mpeg4"), plays(6.0, "encoded")),
    "high10": (lambda k: k.whole("high10"), plays(6.0)),
    "rotated": (lambda k: k.whole("rotated"), plays(6.0)),
    "surround": (lambda k: k.whole("surround"), plays(6.0)),
    "60-ms-packets": (lambda k: k.whole("60ms"), plays(6.0)),
    "b-frames": (lambda k: k.whole("b-frames"), plays(6.0)),
}

SHAPES: dict[str, tuple[Build, Plays | Refused]] = {
    "sixteen-pixels": (lambda k: k.whole("small"), plays(6.0)),
    "odd-size": (lambda k: k.whole("odd"), plays(6.0)),
    "one-picture-a-second": (lambda k: k.whole("slow"), plays(6.0)),
    "still": (lambda k: k.whole("still"), plays(6.0)),
    "one-key-frame": (lambda k: k.whole("no-keys"), plays(6.0)),
    "chrome-one-picture": (lambda k: k.whole("recordings/one_frame_cap_vp9.webm"), plays(0.0, "sound-lost")),
    "chrome-h264-talk": (lambda k: k.whole("recordings/talk_h264.webm"), plays(15.1)),
    "chrome-h264-few": (lambda k: k.whole("recordings/h264_few.webm"), plays(15.1)),
    "chrome-resized-avc1": (lambda k: k.whole("recordings/cap_mp4_resize_avc1.mp4"), plays(6.0, "pictures-dropped")),
    "firefox-ogg": (lambda k: k.whole("recordings/ff_audio_default.ogg"), plays(6.0)),
    "chrome-opus-of-mp4": (lambda k: k.whole("chrome-fmp4-vp9"), plays(12.0, within=0.05)),
    "chrome-pause": (lambda k: k.whole("pause.webm"), plays(7.0)),
}

CLOCKS: dict[str, tuple[Build, Plays | Refused]] = {
    "clock-jumps-ten-hours": (lambda k: k.shifted("vp8", 3, 36_000_000), plays(6.0, "clock-jump")),
    "clock-begins-at-25-hours": (lambda k: k.shifted("vp8", 0, 90_000_000), plays(6.0)),
    "clock-begins-at-49-days": (lambda k: k.shifted("vp8", 0, 2**32), plays(6.0)),
    "clock-begins-again": (lambda k: k.with_clusters("vp8", [3, 4, 5, 0, 1, 2]), plays(6.0, "clock-jump")),
}

KINDS: dict[str, tuple[Build, Plays | Refused]] = {
    "mpeg-ts": (lambda k: k.whole("ts"), plays(6.0)),
    "mpeg-ts-cut": (lambda k: k.cut("ts", 0.5), plays(3.0, "pictures-dropped")),
    "flash-video": (lambda k: k.whole("flv"), plays(6.0)),
    "aac": (lambda k: k.whole("adts"), plays(6.0)),
    "empty": (lambda _: b"", Refused("empty")),
    "web-page": (lambda _: b"<!DOCTYPE html><html>" + b" " * 500, Refused("not-a-recording")),
    "zip": (lambda _: b"PK\3\4" + bytes(500), Refused("not-a-recording")),
    "photo": (lambda _: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), Refused("not-a-recording")),
    "noise": (lambda _: bytes(range(256)) * 40, Refused("not-a-recording")),
}

CORPUS = WEBM_CUTS | MP4_CUTS | GLUED | SLICES | SIZES | TRACKS | SHAPES | CLOCKS | KINDS


def stated(copy: Path, binaries: Binaries) -> float:
    """The length in seconds that the file states; 0 when it states none, as of a single picture."""
    words: list[str | Path] = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", copy]
    output = subprocess.run(
        [binaries.ffprobe, *words], capture_output=True, text=True, check=True, timeout=TIMEOUT
    ).stdout
    return 0.0 if output.strip() == "N/A" else float(output)


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("name", CORPUS)
def test_a_defect_ends_as_it_must(
    name: str,
    kit: Kit,
    ingest: Callable[..., Draft],
    shown: Callable[[Path], Shown],
    binaries: Binaries,
    tmp_path: Path,
) -> None:
    build, outcome = CORPUS[name]
    source = tmp_path / "source"
    source.write_bytes(build(kit))
    if isinstance(outcome, Refused):
        with pytest.raises(MediaRejected) as caught:
            ingest(source, tmp_path)
        assert caught.value.reason == outcome.reason
        return
    draft = ingest(source, tmp_path)
    length, player = stated(draft.path, binaries), shown(draft.path)
    assert length == pytest.approx(outcome.seconds, abs=outcome.within)
    assert length == pytest.approx(player.end, abs=player.last_picture + 0.001)
    assert player.complaints == ""
    assert {repair.kind for repair in draft.repairs} == outcome.repairs
