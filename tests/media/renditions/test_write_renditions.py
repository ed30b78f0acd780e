"""Renditions by real ffmpeg, read back by a validator that knows nothing of how they were written."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.media.rendition_validator import read_track, top_boxes, validate_fragmented, validate_picture
from worker.media.captions.cue import Cue
from worker.media.decoding.downmix import channels_cancel
from worker.media.decoding.loudness import gain_of, measure_loudness
from worker.media.errors import OutputDamaged
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries
from worker.media.renditions.check_rendition import check_copied, check_download, check_rendition
from worker.media.renditions.fit_picture import may_be_copied
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.media.renditions.write_download import write_download
from worker.media.renditions.write_renditions import FastCopyFile, write_copied, write_renditions

Ffmpeg = Callable[..., Path]
Render = Callable[..., dict[str, Path]]
SECONDS = 12
# A flash of 200 ms and a beep at the same time, each second.
FLASHES = "color=black:s=640x480:r=30:d={0},drawbox=color=white:t=fill:enable='lt(mod(t,1),0.2)'"
BEEPS = "aevalsrc='0.2*sin(2*PI*1000*t)*lt(mod(t,1),0.2)':s=48000:d={0}"
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0")
VP8 = ("-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M")


@pytest.fixture(scope="session")
def ffmpeg(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Ffmpeg:
    """`ffmpeg("a.webm", …)`: a file written with these arguments."""
    folder = tmp_path_factory.mktemp("lessons")

    def write(name: str, *words: str) -> Path:
        path = folder / name
        subprocess.run([binaries.ffmpeg, "-v", "error", "-nostdin", "-y", *words, path], check=True, timeout=120)
        return path

    return write


@pytest.fixture
def render(binaries: Binaries, probed: Callable[[Path], Probe], tmp_path: Path) -> Render:
    """`render(source, "360p", …)`: the renditions of a file, by name."""

    def write(source: Path, *names: str, gain: float = 0.0, cancels: bool = False) -> dict[str, Path]:
        targets = {name: tmp_path / name for name in names}
        write_renditions(FastCopyFile(source, probed(source), gain, cancels), targets, binaries)
        return targets

    return write


@pytest.fixture(scope="session")
def lesson(ffmpeg: Ffmpeg) -> Path:
    """A camera's recording with a flash and a beep each second."""
    inputs = ("-f", "lavfi", "-i", FLASHES.format(SECONDS), "-f", "lavfi", "-i", BEEPS.format(SECONDS))
    return ffmpeg("lesson.webm", *inputs, *VP8, "-c:a", "libopus", "-ac", "2")


def onsets(binaries: Binaries, path: Path, filters: str, pattern: str, kind: str) -> list[float]:
    """Seconds at which a filter that prints to the log says that something begins."""
    words = ["-i", str(path), f"-{kind}", filters, "-f", "null", "-"]
    log = subprocess.run(
        [binaries.ffmpeg, "-hide_banner", *words], capture_output=True, text=True, check=True, timeout=60
    ).stderr
    return [float(number) for number in re.findall(pattern, log)]


def test_one_decoding_gives_every_track(lesson: Path, render: Render, binaries: Binaries) -> None:
    files = render(lesson, "audio", "audio-aac", "360p", "board")

    small = validate_fragmented(files["360p"], binaries, seconds=SECONDS, longest_segment=4)
    validate_picture(small, size=(480, 360), rate=15)
    board = validate_fragmented(files["board"], binaries, seconds=SECONDS, longest_segment=10)
    validate_picture(board, size=(640, 480), rate=5, rests=True)
    sound = validate_fragmented(files["audio-aac"], binaries, seconds=SECONDS, longest_segment=10.1)
    assert (sound.stream["profile"], sound.stream["sample_rate"], sound.stream["channels"]) == ("LC", "16000", 1)
    opus = read_track(files["audio"], binaries).stream
    assert (opus["codec_name"], opus["channels"]) == ("opus", 1)
    for name, path in files.items():
        assert abs(check_rendition(name, path, SECONDS * 1000, binaries).duration_ms - SECONDS * 1000) <= 100


def test_sound_and_picture_stay_together(lesson: Path, render: Render, binaries: Binaries) -> None:
    files = render(lesson, "audio", "audio-aac", "360p")

    flashes = onsets(binaries, files["360p"], "blackdetect=d=0.1:pix_th=0.2", r"black_end:([\d.]+)", "vf")
    assert len(flashes) >= SECONDS - 1
    for name in ("audio", "audio-aac"):
        beeps = onsets(binaries, files[name], "silencedetect=n=-40dB:d=0.3", r"silence_end: ([\d.]+)", "af")
        for second in range(1, SECONDS):
            flash = min(flashes, key=lambda at: abs(at - second))
            beep = min(beeps, key=lambda at: abs(at - second))
            assert abs(flash - beep) <= 0.08, name


@pytest.mark.parametrize(
    ("recorded", "name", "size"),
    [
        ("1280x720", "360p", (640, 360)),
        ("1280x720", "720p", (1280, 720)),
        ("720x1280", "360p", (360, 640)),
        ("1001x563", "360p", (640, 360)),
        ("1001x563", "720p", (1000, 562)),
        ("320x240", "360p", (320, 240)),
        ("2000x500", "board", (1280, 320)),
    ],
)
def test_a_picture_is_never_enlarged(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries, recorded: str, name: str, size: tuple[int, int]
) -> None:
    source = ffmpeg(f"{recorded}.webm", "-f", "lavfi", "-i", f"testsrc2=s={recorded}:r=10:d=1", *VP8)

    track = validate_fragmented(render(source, name)[name], binaries, seconds=1, longest_segment=1)

    validate_picture(track, size=size, rate=5 if name == "board" else 10, rests=name == "board")


def test_what_moves_all_the_time_stays_below_the_limit(ffmpeg: Ffmpeg, render: Render) -> None:
    noise = "testsrc2=s=640x360:r=15:d=12,noise=alls=40:allf=t"
    source = ffmpeg("noise.mp4", "-f", "lavfi", "-i", noise, "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M")

    assert render(source, "360p")["360p"].stat().st_size * 8 / 12 <= 250_000


@pytest.mark.parametrize("sound", ["sine=440:d=60:r=48000", "anoisesrc=d=60:r=48000:a=0.3"], ids=["a tone", "noise"])
def test_no_sound_exceeds_the_limit_of_its_rendition(ffmpeg: Ffmpeg, render: Render, sound: str) -> None:
    source = ffmpeg(f"{sound[:4]}.opus", "-f", "lavfi", "-i", sound, "-c:a", "libopus", "-b:a", "96k", "-f", "webm")

    files = render(source, *SOUNDS)

    hours = 60 / 3600
    assert files["audio"].stat().st_size / hours <= 6_600_000
    assert files["audio-aac"].stat().st_size / hours <= 8_000_000


def test_a_page_turn_is_a_key_frame(ffmpeg: Ffmpeg, render: Render, binaries: Binaries) -> None:
    # A pen writes for 13.3 s, then a page with a few lines comes.
    pen = "drawbox=x='100+40*t':y=300:w=6:h=6:color=black:t=fill"
    lines = "drawgrid=w=320:h=120:t=2:color=blue:enable='gte(t,13.3)'"
    source = ffmpeg("pages.webm", "-f", "lavfi", "-i", f"color=white:s=1280x720:r=10:d=16,{pen},{lines}", *VP8)

    track = validate_fragmented(render(source, "board")["board"], binaries, seconds=16, longest_segment=10)

    assert [round(key, 1) for key in track.keys] == [0.0, 10.0, 13.4]


def test_a_video_in_a_window_of_a_screen_is_no_series_of_page_turns(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries
) -> None:
    video = "testsrc2=s=320x180:r=5:d=24,noise=alls=20:allf=t[video];color=white:s=640x360:r=5:d=24[page]"
    words = ("-f", "lavfi", "-i", f"{video};[page][video]overlay=100:50", "-c:v", "libx264", "-preset", "ultrafast")
    source = ffmpeg("window.mp4", *words, "-b:v", "3M", "-pix_fmt", "yuv420p")

    board = render(source, "board")["board"]

    track = validate_fragmented(board, binaries, seconds=24, longest_segment=10)
    # Each is a segment of HLS and an entry of the index.
    assert len(track.keys) <= 24 / 2 + 2
    assert board.stat().st_size * 8 <= 24 * 250_000 + 1_500_000


def test_a_board_has_a_frame_for_each_change_and_every_ten_seconds(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries
) -> None:
    # A pen of two pixels touches the board where and when nobody would notice; then nothing happens.
    changes = {4.0: (0, 0), 4.2: (7, 1), 5.0: (640, 360), 12.4: (1278, 718)}
    dots = ",".join(
        f"drawbox=x={x}:y={y}:w=2:h=2:color=black:t=fill:enable='gte(t,{at - 0.01})'" for at, (x, y) in changes.items()
    )
    source = ffmpeg("rests.mp4", "-f", "lavfi", "-i", f"color=white:s=1280x720:r=5:d=33.4,{dots}", *LOSSLESS)

    track = validate_fragmented(render(source, "board")["board"], binaries, seconds=33.4, longest_segment=10)

    assert {*changes, 0, 10, 20, 30} <= {round(time, 1) for time in track.times}
    assert len(track.times) <= 12
    assert track.keys == [0, 10, 20, 30]


@pytest.mark.parametrize("name", ["360p", "720p", "board"])
@pytest.mark.parametrize(
    ("matrix", "range_", "pixels"),
    [
        ("bt709", "pc", "yuv420p"),
        ("bt709", "tv", "yuv420p"),
        ("smpte170m", "tv", "yuv420p"),
        ("bt470bg", "pc", "yuv420p"),
        ("bt470bg", "tv", "yuv444p"),
        ("bt2020nc", "tv", "yuv420p10le"),
        ("unknown", "tv", "yuv420p"),
    ],
)
def test_colours_stay_as_they_are(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries, name: str, matrix: str, range_: str, pixels: str
) -> None:
    size, stated = "640x480" if name == "360p" else "1280x720", matrix
    if matrix == "unknown":
        # Everybody takes BT.601 for a picture of less than 720 lines, and BT.709 from there on.
        matrix = "smpte170m" if name == "360p" else "bt709"
    bars = (
        f"smptehdbars=s={size}:r=5:d=1,format=gbrp,scale=out_color_matrix={matrix}:out_range={range_},format={pixels},"
        f"setparams=colorspace={stated}:range={range_}"
    )
    source = ffmpeg(f"{stated}-{range_}-{pixels}-{size}.mp4", "-f", "lavfi", "-i", bars, *LOSSLESS)

    rendition = render(source, name)[name]

    shown = mean_colours(binaries, rendition, "bt709" if name != "360p" and "720" in size else "smpte170m", "tv")
    for was, now in zip(mean_colours(binaries, source, matrix, range_), shown, strict=True):
        assert abs(was - now) <= 3


def mean_colours(binaries: Binaries, path: Path, matrix: str, range_: str) -> bytes:
    """Red, green and blue of 14 by 8 tiles of the first frame, as a player shows them that reads these colours."""
    read = f"scale=in_color_matrix={matrix}:in_range={range_}:flags=accurate_rnd,format=gbrp,scale=14:8:flags=area"
    words = ["-i", str(path), "-frames:v", "1", "-vf", f"{read},format=rgb24", "-f", "rawvideo", "-"]
    return subprocess.run([binaries.ffmpeg, "-v", "error", *words], capture_output=True, check=True, timeout=60).stdout


def test_the_picture_of_a_camera_that_stopped_stands_until_the_end(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries
) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=2", "-f", "lavfi", "-i", "sine=d=6")
    source = ffmpeg("stopped.webm", *picture, *VP8, "-c:a", "libopus")
    other = ffmpeg(
        "mute.webm", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=6", *picture[4:6], "-i", "sine=d=2", *VP8
    )

    validate_fragmented(render(source, "360p")["360p"], binaries, seconds=6, longest_segment=4)
    validate_fragmented(render(other, "audio-aac")["audio-aac"], binaries, seconds=6, longest_segment=10.1)


def test_a_transparent_board_is_on_white_paper(
    make: Callable[[str], Path], render: Render, binaries: Binaries, tmp_path: Path
) -> None:
    board = render(make("alpha.webm"), "board")["board"]

    words = ["-i", str(board), "-frames:v", "1", "-vf", "scale=1:1:flags=area,format=gray", "-f", "rawvideo", "-"]
    (brightness,) = subprocess.run(
        [binaries.ffmpeg, "-v", "error", *words], capture_output=True, check=True, timeout=60
    ).stdout
    assert brightness > 180


def test_a_transparent_board_goes_on_after_its_canvas_was_resized(
    ffmpeg: Ffmpeg, render: Render, binaries: Binaries, tmp_path: Path
) -> None:
    alpha = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0")
    canvas = "color=black@{}:s={}:r=5:d=2,format=yuva420p"
    parts = [
        ffmpeg(f"canvas-{size}.webm", "-f", "lavfi", "-i", canvas.format(opacity, size), *alpha, "-g", "5")
        for opacity, size in ((0, "320x180"), (1, "180x320"))
    ]
    (tmp_path / "list").write_text("".join(f"file {part}\n" for part in parts))
    joined = ("-f", "concat", "-safe", "0", "-i", str(tmp_path / "list"), "-c", "copy")
    source = ffmpeg("canvas.webm", *joined, "-metadata:s:v:0", "alpha_mode=1")

    board = render(source, "board")["board"]

    words = ["-i", str(board), "-vf", "fps=1,crop=2:2,scale=1:1,format=gray", "-f", "rawvideo", "-"]
    shown = subprocess.run([binaries.ffmpeg, "-v", "error", *words], capture_output=True, check=True, timeout=60).stdout
    assert [brightness > 128 for brightness in shown] == [True, True, False, False]


@pytest.mark.parametrize("volume", [0.05, 0.9])
def test_speech_is_as_loud_as_it_should_be(ffmpeg: Ffmpeg, render: Render, binaries: Binaries, volume: float) -> None:
    # The harmonics of a voice in syllables, with a clap now and then.
    words = "+".join(f"sin(2*PI*{150 * n}*t)/{n}" for n in range(1, 9))
    speech = f"aevalsrc='{volume}*0.4*({words})*(0.2+0.8*gt(sin(9*t),0))':s=48000:d=20"
    clap = f"aevalsrc='{volume}*lt(mod(t,5),0.01)*sin(3000*t)':s=48000:d=20"
    source = ffmpeg(
        f"speech{volume}.webm", "-f", "lavfi", "-i", speech, "-f", "lavfi", "-i", clap, "-filter_complex",
        "amix=inputs=2:normalize=0", "-c:a", "libopus", "-ac", "2",
    )  # fmt: skip
    loudness = measure_loudness(source, binaries, seconds=20)

    files = render(source, "audio", "audio-aac", gain=gain_of(loudness))

    for name in files:
        heard = measure_loudness(files[name], binaries, seconds=20)
        assert heard == pytest.approx(-16, abs=1), name
        (peak,) = onsets(binaries, files[name], "ebur128=peak=true:framelog=quiet", r"Peak:\s+(-?[\d.]+) dBFS", "af")
        assert peak <= -1.5, name


def test_a_microphone_with_an_inverted_channel_is_heard(ffmpeg: Ffmpeg, render: Render, binaries: Binaries) -> None:
    voice = "0.1*sin(2*PI*440*t)"
    source = ffmpeg("inverted.webm", "-f", "lavfi", "-i", f"aevalsrc={voice}|-{voice}:s=48000:d=5", "-c:a", "libopus")
    cancels = channels_cancel(source, binaries)
    loudness = measure_loudness(source, binaries, seconds=5, cancels=cancels)

    files = render(source, "audio", "audio-aac", gain=gain_of(loudness), cancels=cancels)

    heard = {name: measure_loudness(file, binaries, seconds=5) for name, file in files.items()}
    assert heard == {"audio": pytest.approx(-16, abs=1), "audio-aac": pytest.approx(-16, abs=1)}


def test_silence_is_not_made_louder(ffmpeg: Ffmpeg, binaries: Binaries) -> None:
    source = ffmpeg("silent.webm", "-f", "lavfi", "-i", "anoisesrc=d=5:a=0.0002", "-c:a", "libopus")

    assert gain_of(measure_loudness(source, binaries, seconds=5)) == 0.0


def test_h264_in_the_right_form_is_copied(
    ffmpeg: Ffmpeg, binaries: Binaries, probed: Callable[[Path], Probe], tmp_path: Path
) -> None:
    lavfi = ("-f", "lavfi", "-i", "color=gray:s=320x240:r=10:d=6")
    h264 = ("-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-g", "20", "-movflags", "+faststart")
    source, reordered = ffmpeg("main.mp4", *lavfi, *h264, "-bf", "0"), ffmpeg("b.mp4", *lavfi, *h264, "-bf", "2")
    form, target = PICTURES["360p"], tmp_path / "360p"

    video = probed(source).video
    assert video is not None
    assert may_be_copied(form, video)
    assert not may_be_copied(PICTURES["board"], video)
    others = [
        replace(video, codec_string="avc1.64001f"),
        replace(video, codec_string="avc1.4d0028"),
        replace(video, codec="hevc", codec_string="hvc1.1.6.L93.B0"),
        replace(video, color_range="pc"),
        replace(video, color_space="bt709"),
    ]
    assert [other for other in others if may_be_copied(form, other)] == []
    write_copied(FastCopyFile(source, probed(source)), target, binaries)
    track = validate_fragmented(target, binaries, seconds=6, longest_segment=2)
    assert (track.stream["width"], len(track.times)) == (320, 60)
    assert check_copied(form, "360p", target, 6000, binaries) is not None

    write_copied(FastCopyFile(reordered, probed(reordered)), target, binaries)
    assert check_copied(form, "360p", target, 6000, binaries) is None


def test_what_people_keep_has_picture_and_sound_and_its_index_in_front(
    lesson: Path, render: Render, binaries: Binaries, tmp_path: Path
) -> None:
    files, target = render(lesson, "audio-aac", "360p"), tmp_path / "download"

    write_download(files["360p"], files["audio-aac"], target, binaries)

    kinds = [kind for kind, _, _ in top_boxes(target.read_bytes())]
    assert kinds.index("moov") < kinds.index("mdat")
    assert "moof" not in kinds
    written = check_download(target, SECONDS * 1000, binaries)
    assert (written.mime, written.codecs, written.width) == ("video/mp4", "avc1.4d401f, mp4a.40.2", 480)
    write_download(None, files["audio-aac"], target, binaries)
    assert check_download(target, SECONDS * 1000, binaries).mime == "audio/mp4"


def test_chapters_are_in_the_file_that_people_keep(
    lesson: Path, render: Render, binaries: Binaries, tmp_path: Path
) -> None:
    files = render(lesson, "360p", "audio-aac")
    hostile = "a=b; #c \\\n[CHAPTER]\nSTART=0"
    titles = ["መግቢያ፦ ክፍልፋዮች", hostile, "ም" * 200]
    cues = [Cue(4000 * number, 4000 * number + 4000, title) for number, title in enumerate(titles)]
    targets = [tmp_path / "first.mp4", tmp_path / "again.mp4"]

    for target in targets:
        write_download(files["360p"], files["audio-aac"], target, binaries, chapters=cues)

    words = [str(binaries.ffprobe), "-v", "error", "-show_chapters", "-of", "json", str(targets[0])]
    listed = json.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)["chapters"]
    assert [round(float(chapter["start_time"]) * 1000) for chapter in listed] == [0, 4000, 8000]
    assert [chapter["tags"]["title"] for chapter in listed] == [
        titles[0],
        "a=b; #c \\ [CHAPTER] START=0",
        "ም" * 85,  # 255 bytes
    ]
    content = targets[0].read_bytes()
    # What VLC reads, and what QuickTime and phones read.
    assert b"chpl" in content
    assert b"chap" in content
    assert targets[1].read_bytes() == content
    check_download(targets[0], SECONDS * 1000, binaries)


def test_a_rendition_that_is_cut_off_is_noticed(lesson: Path, render: Render, binaries: Binaries) -> None:
    path = render(lesson, "360p")["360p"]
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(OutputDamaged):
        check_rendition("360p", path, SECONDS * 1000, binaries)


def test_a_failure_leaves_no_file(
    lesson: Path, binaries: Binaries, probed: Callable[[Path], Probe], tmp_path: Path
) -> None:
    target = tmp_path / "720p"

    with pytest.raises(RuntimeError, match="enough"):
        write_renditions(FastCopyFile(lesson, probed(lesson)), {"720p": target}, binaries, should_stop=_enough)
    assert not target.exists()


def _enough() -> bool:
    raise RuntimeError("enough")
