"""A recording becomes a playable lesson, on the whole stack."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.e2e.conftest import UpStack
from tests.waiting import TIMEOUT, wait_for

SAMPLES = ("vp9", "h264", "pause", "audio")


def ffprobe(binaries: Any, path: Path, *arguments: str) -> dict[str, Any]:
    command = [str(binaries.ffprobe), "-v", "error", "-of", "json", *arguments, str(path)]
    description: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT).stdout
    )
    return description


def seconds_of_packets(binaries: Any, path: Path) -> float:
    """How long a recording really is: the end of its last packet, less the beginning of its first."""
    packets = ffprobe(binaries, path, "-show_packets", "-show_entries", "packet=pts_time,duration_time")["packets"]
    starts = [float(packet["pts_time"]) for packet in packets]
    ends = [float(packet["pts_time"]) + float(packet.get("duration_time", 0)) for packet in packets]
    return max(ends) - min(starts)


def elements(data: bytes) -> list[int]:
    """Ids of the level-1 elements of a finished WebM file (RFC 8794 §4), in order."""

    def size_at(at: int) -> tuple[int, int]:
        length = 9 - data[at].bit_length()
        return int.from_bytes(data[at : at + length], "big") & (1 << 7 * length) - 1, at + length

    def id_at(at: int) -> tuple[int, int]:
        length = 9 - data[at].bit_length()
        return int.from_bytes(data[at : at + length], "big"), at + length

    _, at = id_at(0)
    size, at = size_at(at)
    _, at = id_at(at + size)
    size, at = size_at(at)
    end, identities = at + size, []
    while at < end:
        identity, at = id_at(at)
        size, at = size_at(at)
        identities.append(identity)
        at += size
    return identities


def boxes(data: bytes) -> list[bytes]:
    """Types of the top-level boxes of an MP4 file (ISO/IEC 14496-12 §4.2), in order."""
    at, kinds = 0, []
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return kinds


def brightness(binaries: Any, jpeg: bytes) -> bytes:
    command = [binaries.ffmpeg, "-v", "error", "-i", "-", "-vf", "scale=64:36", "-f", "rawvideo", "-pix_fmt", "gray"]
    return subprocess.run(
        [*map(str, command), "-"], input=jpeg, capture_output=True, check=True, timeout=TIMEOUT
    ).stdout


@pytest.fixture(scope="module")
def lessons(stack: UpStack, sample: Callable[[str], bytes]) -> Callable[[str], dict[str, Any]]:
    """`lessons("vp9")`: what was answered and found while that sample was made a lesson, once for all tests here."""
    ingests: dict[str, dict[str, Any]] = {}

    def make(name: str) -> dict[str, Any]:
        if name not in ingests:
            ingests[name] = ingest(stack, sample(name))
        return ingests[name]

    return make


def ingest(stack: UpStack, content: bytes) -> dict[str, Any]:
    tutor, session_id = stack.school.tutor, stack.lesson()
    pages = tutor.get(f"/v1/whiteboard/sessions/{session_id}")["pages"]
    strokes = [
        {"client_id": "a", "stroke_type": "pen", "stroke_data": {"points": [[1, 2], [3, 4]], "color": "#000"}},
        {"client_id": "b", "stroke_type": "text", "stroke_data": {"text": "½ + ¼", "x": 5, "y": 6}},
    ]
    tutor.post(f"/v1/whiteboard/pages/{pages[0]['id']}/strokes", {"strokes": strokes}, status=200)
    response = tutor.upload(session_id, content, title="ክፍልፋዮች", type="video")
    accepted = tutor.checked_body(response, 202)
    events = tutor.events(accepted["job_id"])
    recording = tutor.get(f"/v1/recordings/{accepted['recording_id']}")
    playback = tutor.get(f"/v1/recordings/{accepted['recording_id']}/playback")
    stack.settled(accepted["recording_id"])
    return {
        "content": content,
        "session_id": session_id,
        "page": pages[0],
        "response": response,
        "accepted": accepted,
        "events": events,
        "recording": recording,
        "playback": playback,
        "base": f"videos/whiteboard/session_{session_id}/recording_{recording['id']}/"
        f"{hashlib.sha1(content, usedforsecurity=False).hexdigest()[:12]}/",
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_the_upload_is_accepted_and_its_progress_told(lessons: Callable[[str], dict[str, Any]], name: str) -> None:
    lesson = lessons(name)
    response, accepted, events = lesson["response"], lesson["accepted"], lesson["events"]

    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{accepted['job_id']}"
    assert int(response.headers["retry-after"]) >= 1
    assert list(accepted) == ["recording_id", "job_id", "ignored"]

    assert {event["event"] for event in events} == {"job"}
    jobs = [event["data"] for event in events]
    assert {job["id"] for job in jobs} == {accepted["job_id"]}
    assert {job["subject"] for job in jobs} == {f"recording:{accepted['recording_id']}"}
    assert [int(event["id"]) for event in events] == sorted({int(event["id"]) for event in events})
    shown = [job["progress"] for job in jobs]
    assert shown == sorted(shown)
    assert shown[-1] == 100
    assert jobs[-1]["state"] == "succeeded"
    assert jobs[-1]["attempt"] == 1


@pytest.mark.parametrize("name", SAMPLES)
def test_the_row_tells_the_truth(
    lessons: Callable[[str], dict[str, Any]], stack: UpStack, tmp_path: Path, name: str
) -> None:
    lesson = lessons(name)
    recording = lesson["recording"]
    source = tmp_path / "source.webm"
    source.write_bytes(lesson["content"])
    true_ms = seconds_of_packets(stack.binaries, source) * 1000

    assert (recording["is_available"], recording["is_processing"], recording["error"]) == (True, False, None)
    assert recording["recording_title"] == "ክፍልፋዮች"
    assert recording["recording_type"] == "video"
    assert recording["session_id"] == lesson["session_id"]
    metadata = recording["recording_metadata"]
    assert abs(metadata["duration_ms"] - true_ms) < 100
    assert recording["duration_seconds"] == round(metadata["duration_ms"] / 1000)
    assert {"container", "codecs", "width", "height", "fps", "bit_rate", "digest", "duration_ms"} <= metadata.keys()
    assert metadata["recorded_by"] == stack.school.tutor_user_id
    assert metadata["digest"] == hashlib.sha1(lesson["content"], usedforsecurity=False).hexdigest()
    assert metadata["source"]["size_bytes"] == len(lesson["content"])
    streams = {stream["codec_type"]: stream for stream in ffprobe(stack.binaries, source, "-show_streams")["streams"]}
    picture = streams.get("video", {})
    assert (metadata["width"], metadata["height"]) == (picture.get("width"), picture.get("height"))
    assert (metadata["container"], metadata["fps"] is None) == ("mp4" if name == "h264" else "webm", name == "audio")
    assert stack.sql("SELECT has_recordings FROM whiteboard_sessions WHERE id = %s", lesson["session_id"]) == [
        {"has_recordings": True}
    ]


def test_the_board_is_kept_as_it_was(lessons: Callable[[str], dict[str, Any]]) -> None:
    lesson = lessons("vp9")

    assert lesson["recording"]["board_snapshot"] == {
        "pages": [
            {
                "page_id": lesson["page"]["id"],
                "page_number": 1,
                "page_title": lesson["page"]["page_title"],
                "background_color": lesson["page"]["background_color"],
                "strokes": [
                    {
                        "stroke_type": "pen",
                        "stroke_order": 1,
                        "stroke_data": {"points": [[1, 2], [3, 4]], "color": "#000"},
                    },
                    {"stroke_type": "text", "stroke_order": 2, "stroke_data": {"text": "½ + ¼", "x": 5, "y": 6}},
                ],
            }
        ]
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_playback_has_its_documented_shape(lessons: Callable[[str], dict[str, Any]], name: str) -> None:
    playback, recording = lessons(name)["playback"], lessons(name)["recording"]

    of_files = ["renditions", "poster", "storyboard", "chapters", "captions", "posters", "preview_url", "activity_url"]
    assert list(playback) == ["recording_title", "duration_ms", *of_files, "expires_at"]
    (fast_copy,) = playback["renditions"]
    assert list(fast_copy) == ["name", "url", "mime", "codecs", "width", "height", "bytes", "bit_rate", "state"]
    assert (fast_copy["name"], fast_copy["state"]) == ("playback", "ready")
    assert fast_copy["bytes"] == recording["file_size_bytes"]
    metadata = recording["recording_metadata"]
    assert [fast_copy[key] for key in ("mime", "codecs", "width", "height", "bit_rate")] == [
        metadata[key] for key in ("mime", "codecs", "width", "height", "bit_rate")
    ]
    assert fast_copy["mime"] == {"h264": "video/mp4", "audio": "audio/webm"}.get(name, "video/webm")
    assert (playback["recording_title"], playback["duration_ms"]) == (
        recording["recording_title"],
        metadata["duration_ms"],
    )
    # The stack of these tests orders no renditions and no pictures.
    assert [playback[name] for name in of_files[2:]] == [None, None, [], [], None, None]
    assert list(playback["poster"] or {"url": None}) == ["url"]
    assert (playback["poster"] is None) == (name == "audio")
    lasts = datetime.fromisoformat(playback["expires_at"]) - datetime.now(UTC)
    length = timedelta(seconds=recording["duration_seconds"], minutes=15)
    assert length - timedelta(minutes=3) < lasts <= length


@pytest.mark.parametrize("name", SAMPLES)
def test_the_signed_address_gives_a_file_that_plays(
    lessons: Callable[[str], dict[str, Any]], stack: UpStack, tmp_path: Path, name: str
) -> None:
    lesson = lessons(name)
    (fast_copy,) = lesson["playback"]["renditions"]
    play = f"play/playback.{'mp4' if name == 'h264' else 'webm'}"

    whole = httpx.get(fast_copy["url"])
    assert (whole.status_code, len(whole.content)) == (200, fast_copy["bytes"])
    assert whole.headers["content-type"] == fast_copy["mime"]
    (stored,) = stack.sql("SELECT sha1 FROM recording_renditions WHERE object_name = %s", f"{lesson['base']}{play}")
    assert hashlib.sha1(whole.content, usedforsecurity=False).hexdigest() == stored["sha1"]
    assert len(whole.content) == lesson["recording"]["file_size_bytes"]
    piece = httpx.get(fast_copy["url"], headers={"Range": "bytes=1000-1999"})
    assert (piece.status_code, piece.content) == (206, whole.content[1000:2000])
    assert piece.headers["content-range"] == f"bytes 1000-1999/{fast_copy['bytes']}"

    fetched = tmp_path / "fetched"
    fetched.write_bytes(whole.content)
    decode = [str(stack.binaries.ffmpeg), "-v", "error", "-xerror", "-i", str(fetched)]
    decode += ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "null", "-"]
    decoded = subprocess.run(decode, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    assert (decoded.returncode, decoded.stderr) == (0, "")
    header = float(ffprobe(stack.binaries, fetched, "-show_entries", "format=duration")["format"]["duration"])
    assert abs(header * 1000 - lesson["recording"]["recording_metadata"]["duration_ms"]) < 100
    if fast_copy["mime"] == "video/mp4":
        kinds = boxes(whole.content)
        assert kinds.index(b"moov") < kinds.index(b"mdat")
    else:
        cues, cluster = 0x1C53BB6B, 0x1F43B675
        ids = elements(whole.content)
        assert ids.index(cues) < ids.index(cluster)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "audio"])
def test_the_poster_shows_something(lessons: Callable[[str], dict[str, Any]], stack: UpStack, name: str) -> None:
    poster = httpx.get(lessons(name)["playback"]["poster"]["url"])

    assert (poster.status_code, poster.headers["content-type"]) == (200, "image/jpeg")
    assert poster.content.startswith(b"\xff\xd8\xff")
    assert len(set(brightness(stack.binaries, poster.content))) > 5


def test_sound_alone_has_no_poster(lessons: Callable[[str], dict[str, Any]]) -> None:
    recording = lessons("audio")["recording"]

    assert recording["thumbnail_url"] is None
    assert recording["recording_metadata"]["video_codec"] is None


def test_without_a_token_nothing_opens(lessons: Callable[[str], dict[str, Any]], stack: UpStack) -> None:
    lesson = lessons("vp9")
    fast_copy = lesson["playback"]["renditions"][0]["url"]
    file_url = lesson["recording"]["file_url"]

    assert file_url == fast_copy.partition("?")[0]
    assert file_url.endswith(f"/file/{stack.facts['b2']['bucket']}/{lesson['base']}play/playback.webm")
    assert httpx.get(file_url).status_code in {401, 403}
    assert httpx.get(lesson["recording"]["thumbnail_url"]).status_code in {401, 403}
    # The token opens this recording's `play/` and nothing else: not the upload as it came, not another lesson.
    token = fast_copy.partition("?")[2]
    source = file_url.replace("play/playback.webm", "source.webm")
    assert httpx.get(f"{source}?{token}").status_code in {401, 403}
    other = lessons("pause")["recording"]["file_url"]
    assert httpx.get(f"{other}?{token}").status_code in {401, 403}
    assert httpx.get(f"{lesson['recording']['thumbnail_url']}?{token}").status_code == 200


@pytest.mark.parametrize("name", SAMPLES)
def test_b2_holds_three_objects_and_the_spool_none(
    lessons: Callable[[str], dict[str, Any]], stack: UpStack, name: str
) -> None:
    lesson = lessons(name)
    objects, base = stack.objects(lesson["session_id"]), lesson["base"]
    play, poster = ("mp4" if name == "h264" else "webm"), [] if name == "audio" else [f"{base}play/poster.jpg"]
    (source,) = [name for name in objects if name.startswith(f"{base}source.")]

    assert sorted(objects) == sorted([f"{base}play/playback.{play}", *poster, source])
    assert objects[source].content_sha1 == hashlib.sha1(lesson["content"], usedforsecurity=False).hexdigest()
    assert objects[source].size == len(lesson["content"])
    assert stack.bucket().type_ == "allPrivate"
    row = stack.recording_row(lesson["recording"]["id"])
    assert (row["spool_name"], row["spool_id"]) == (None, "shared")
    renditions = stack.sql(
        "SELECT name, state, object_name FROM recording_renditions WHERE recording_id = %s", lesson["recording"]["id"]
    )
    assert {(rendition["state"], rendition["object_name"]) for rendition in renditions} == {
        ("ready", name) for name in objects
    }


def test_nothing_is_left_in_the_spool(lessons: Callable[[str], dict[str, Any]], stack: UpStack) -> None:
    for name in SAMPLES:
        lessons(name)

    assert stack.spooled() == []


def test_the_same_bytes_are_one_recording_in_one_session_and_type(
    lessons: Callable[[str], dict[str, Any]], stack: UpStack, sample: Callable[[str], bytes]
) -> None:
    lesson, tutor = lessons("audio"), stack.school.tutor
    content = lesson["content"]

    again = tutor.upload(lesson["session_id"], content, title="Again")
    assert (again.status_code, again.json()) == (202, lesson["accepted"])
    assert again.headers["location"] == lesson["response"].headers["location"]
    assert stack.spooled() == []

    other_type, _ = tutor.upload_accepted(lesson["session_id"], content, type="screen")
    other_session, _ = tutor.upload_accepted(stack.lesson(), content)
    assert len({other_type, other_session, lesson["recording"]["id"]}) == 3
    for recording_id in (other_type, other_session):
        stack.settled(recording_id)
        assert tutor.get(f"/v1/recordings/{recording_id}")["is_available"]


def test_a_deleted_recording_leaves_nothing_and_may_come_again(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, session_id, content = stack.school.tutor, stack.lesson(), sample("audio")
    recording_id, job_id = tutor.upload_accepted(session_id, content)
    assert tutor.job(job_id)["state"] == "succeeded"
    stack.settled(recording_id)
    assert len(stack.objects(session_id)) == 2

    tutor.delete(f"/v1/recordings/{recording_id}")

    assert tutor.get(f"/v1/recordings/{recording_id}", status=404)["code"] == "not-found"
    assert tutor.get(f"/v1/recordings?session_id={session_id}")["items"] == []
    assert tutor.get(f"/v1/whiteboard/sessions/{session_id}")["has_recordings"] is False
    tutor.delete(f"/v1/recordings/{recording_id}", status=404)
    stack.settled(recording_id)
    assert stack.objects(session_id) == {}

    repeated_id, job_id = tutor.upload_accepted(session_id, content)
    assert repeated_id != recording_id
    assert tutor.job(job_id)["state"] == "succeeded"
    assert tutor.get(f"/v1/whiteboard/sessions/{session_id}")["has_recordings"] is True
    stack.settled(repeated_id)


def test_progress_rises_while_the_work_goes_on(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor = stack.school.tutor
    events: list[dict[str, Any]] = []
    with ThreadPoolExecutor(1) as listener:
        with stack.held():
            recording_id, job_id = tutor.upload_accepted(stack.lesson(), sample("vp9"))
            listening = listener.submit(tutor.events, job_id, events)
            wait_for(lambda: any(0 < event["data"]["progress"] < 100 for event in events))
            halfway = tutor.get(f"/v1/recordings/{recording_id}")
            tutor.get(f"/v1/recordings/{recording_id}/playback", status=409)
        listening.result(TIMEOUT)
    states = [(event["data"]["state"], event["data"]["progress"]) for event in events]

    assert (halfway["is_processing"], halfway["is_available"]) == (True, False)
    assert [progress for _, progress in states] == sorted(progress for _, progress in states)
    assert states[-1] == ("succeeded", 100)
    stack.settled(recording_id)


def test_a_recording_deleted_while_it_is_processed_leaves_nothing(
    stack: UpStack, sample: Callable[[str], bytes]
) -> None:
    tutor, session_id = stack.school.tutor, stack.lesson()
    with stack.held():
        recording_id, job_id = tutor.upload_accepted(session_id, sample("audio"))
        tutor.job(job_id, "running")
        assert stack.spooled() != []
        tutor.delete(f"/v1/recordings/{recording_id}")
        assert stack.find_recording_row(recording_id) is None
    tutor.job(job_id)
    stack.settled(recording_id)

    assert stack.objects(session_id) == {}
    # Meanwhile a board may be drawn there.
    wait_for(lambda: stack.spooled() == [])
    assert stack.sql("SELECT 1 FROM recording_renditions WHERE recording_id = %s", recording_id) == []


def test_who_may_do_what(lessons: Callable[[str], dict[str, Any]], stack: UpStack) -> None:
    school, lesson = stack.school, lessons("h264")
    recording = f"/v1/recordings/{lesson['recording']['id']}"
    session_id, content = lesson["session_id"], lesson["content"]

    for onlooker in (school.student, school.parent):
        assert onlooker.get(recording)["id"] == lesson["recording"]["id"]
        address = onlooker.get(f"{recording}/playback")["renditions"][0]["url"]
        assert httpx.get(address, headers={"Range": "bytes=0-0"}).status_code == 206
        assert [item["id"] for item in onlooker.get(f"/v1/recordings?session_id={session_id}")["items"]]
        assert onlooker.checked_body(onlooker.upload(session_id, content), 403)["code"] == "forbidden"
        onlooker.delete(recording, status=403)
    for outsider in (school.other_tutor, school.other_student):
        for path in (recording, f"{recording}/playback", f"/v1/recordings?session_id={session_id}"):
            assert outsider.get(path, status=404)["code"] == "not-found"
        outsider.checked_body(outsider.upload(session_id, content), 404)
        outsider.delete(recording, status=404)
        outsider.get(f"/v1/jobs/{lesson['accepted']['job_id']}", status=404)
        assert lesson["recording"]["id"] not in [item["id"] for item in outsider.get("/v1/recordings")["items"]]
    for path in (recording, f"{recording}/playback", "/v1/recordings"):
        assert school.nobody.get(path, status=401)["code"] == "unauthorized"
    school.nobody.checked_body(school.nobody.upload(session_id, content), 401)
    school.nobody.delete(recording, status=401)
    assert stack.recording_row(lesson["recording"]["id"])["is_available"]


def test_an_operators_look_is_recorded(lessons: Callable[[str], dict[str, Any]], stack: UpStack) -> None:
    operator, recording_id = stack.school.operator, lessons("pause")["recording"]["id"]

    operator.get(f"/v1/recordings/{recording_id}")
    operator.get(f"/v1/recordings/{recording_id}/playback")

    address = f"/v1/recordings/{recording_id}"
    looks = stack.sql(
        "SELECT admin_id, address FROM operator_accesses WHERE address LIKE %s ORDER BY id", f"{address}%"
    )
    assert looks[-2:] == [{"admin_id": 1, "address": address}, {"admin_id": 1, "address": f"{address}/playback"}]
