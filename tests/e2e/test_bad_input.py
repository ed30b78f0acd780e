"""What clients should not send: each is refused with its reason, and leaves nothing behind."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.e2e.conftest import UpStack
from tests.waiting import TIMEOUT, wait_for
from worker.settings import DEVELOPMENT_KEY

CLUSTER = bytes.fromhex("1f43b675")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine that nobody has any business with."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


def nothing_left(stack: UpStack, session_id: int) -> None:
    assert stack.objects(session_id) == {}
    assert stack.spooled() == []
    state = stack.sql("SELECT has_recordings FROM whiteboard_sessions WHERE id = %s", session_id)
    assert state == [{"has_recordings": False}]


def rejected(stack: UpStack, content: bytes, *, name: str = "lesson.webm") -> dict[str, Any]:
    """Upload what must be rejected, see that nothing stays, and answer the problem document."""
    tutor, session_id = stack.school.tutor, stack.lesson()
    recording_id, job_id = tutor.upload_accepted(session_id, content, name=name)
    job = tutor.job(job_id)
    stack.settled(recording_id)
    recording = tutor.get(f"/v1/recordings/{recording_id}")

    assert (job["state"], job["attempt"], job["result"]) == ("failed", 1, None)
    assert (recording["is_processing"], recording["is_available"]) == (False, False)
    assert recording["error"] == job["error"]
    assert (recording["file_url"], recording["thumbnail_url"]) == (None, None)
    tutor.get(f"/v1/recordings/{recording_id}/playback", status=409)
    # Bytes that some tool might play are kept until somebody deletes the recording, and nothing else of it.
    kept_until = recording["recording_metadata"].get("bytes_kept_until")
    assert stack.spooled() == ([stack.recording_row(recording_id)["spool_name"]] if kept_until else [])
    tutor.delete(f"/v1/recordings/{recording_id}")
    stack.settled(recording_id)
    nothing_left(stack, session_id)
    error: dict[str, Any] = job["error"]
    assert (error["code"], error["status"], error["title"]) == (
        "media-rejected",
        422,
        "The recording cannot be used",
    )
    # A sentence for a tutor, not a message of ffmpeg.
    assert error["detail"][0].isupper()
    assert error["detail"].endswith(".")
    assert str(stack.folder) not in error["detail"]
    return error


def test_an_empty_file(stack: UpStack) -> None:
    assert rejected(stack, b"")["reason"] == "empty"


def test_a_text_with_the_name_of_a_recording(stack: UpStack) -> None:
    assert rejected(stack, b"Dear tutor, this is no video.\n" * 500)["reason"] == "not-a-recording"


def test_a_recording_without_a_single_frame(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    whole = sample("vp9")

    assert rejected(stack, whole[: whole.index(CLUSTER)])["reason"] == "zero-length"


@pytest.mark.parametrize("name", ["lesson.webm", "lesson.m3u8"])
def test_a_playlist_that_points_elsewhere(stack: UpStack, listener: socket.socket, name: str) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/secret.ts"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{address}\n#EXTINF:10,\nfile:///etc/passwd\n"

    assert rejected(stack, playlist.encode(), name=name)["reason"] == "not-a-recording"
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_concat_script_that_points_elsewhere(stack: UpStack, listener: socket.socket) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/secret"
    script = f"ffconcat version 1.0\nfile /etc/passwd\nfile {address}\n"

    assert rejected(stack, script.encode())["reason"] == "not-a-recording"
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_cut_off_recording_plays_as_far_as_it_goes(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, whole, session_id = stack.school.tutor, sample("vp9"), stack.lesson()
    recording_id, job_id = tutor.upload_accepted(session_id, whole[: len(whole) * 6 // 10])

    assert tutor.job(job_id)["state"] == "succeeded"
    recording = tutor.get(f"/v1/recordings/{recording_id}")
    assert recording["is_available"]
    assert recording["recording_metadata"]["source"]["truncated"] is True
    # Of twelve seconds.
    assert 4_000 < recording["recording_metadata"]["duration_ms"] < 10_000
    stack.settled(recording_id)


def test_a_session_that_does_not_exist(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor = stack.school.tutor

    assert tutor.checked_body(tutor.upload(2**31 - 1, sample("audio")), 404)["code"] == "not-found"
    assert stack.spooled() == []


def signed(algorithm: str, claims: dict[str, Any], key: str) -> str:
    """A token with an HMAC-SHA256 of `key`, whatever its header says; without a key, without a signature."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = f"{part(json.dumps({'alg': algorithm, 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    digest = hmac.new(key.encode(), head.encode(), hashlib.sha256).digest() if key else b""
    return f"{head}.{part(digest)}"


@pytest.mark.parametrize(
    ("claims", "algorithm", "key"),
    [
        ({"exp": 1}, "HS256", DEVELOPMENT_KEY),
        ({"exp": 4e9}, "none", ""),
        ({"exp": 4e9}, "RS256", DEVELOPMENT_KEY),
        ({"exp": 4e9}, "HS512", DEVELOPMENT_KEY),
        ({"exp": 4e9}, "HS256", "another key"),
        ({}, "HS256", DEVELOPMENT_KEY),
    ],
    ids=["expired", "no signature", "key pair", "foreign algorithm", "foreign key", "no end"],
)
def test_a_token_that_cannot_be_trusted(
    stack: UpStack, sample: Callable[[str], bytes], claims: dict[str, Any], algorithm: str, key: str
) -> None:
    mine = {"sub": str(stack.school.tutor_user_id), "role": "tutor", "role_ids": {"tutor": "111"}}
    token = signed(algorithm, {**mine, **claims}, key)
    response = stack.school.nobody.http.post(
        "/v1/recordings",
        data={"session_id": str(stack.lesson())},
        files={"file": ("lesson.webm", sample("audio"))},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert stack.school.nobody.checked_body(response, 401)["code"] == "unauthorized"
    assert response.headers["www-authenticate"] == "Bearer"
    assert token not in response.text
    assert stack.spooled() == []


def test_a_token_made_that_way_is_taken_when_all_is_right(stack: UpStack) -> None:
    claims = {"sub": str(stack.school.tutor_user_id), "role": "tutor", "role_ids": {"tutor": "111"}, "exp": int(4e9)}
    header = {"Authorization": f"Bearer {signed('HS256', claims, DEVELOPMENT_KEY)}"}

    assert stack.school.nobody.http.get("/v1/recordings", headers=header).status_code == 200


def test_a_malformed_token(stack: UpStack) -> None:
    for token in ("x", "a.b.c", "e30.e30.e30", "é"):
        response = stack.school.nobody.http.get(
            "/v1/recordings", headers={b"Authorization": f"Bearer {token}".encode()}
        )
        assert stack.school.nobody.checked_body(response, 401)["code"] == "unauthorized"


def raw_upload(stack: UpStack, caller: Any, body: bytes, length: int) -> socket.socket:
    """A connection on which the first bytes of an upload have been sent."""
    host, _, port = stack.facts["api"].removeprefix("http://").partition(":")
    head = (
        f"POST /v1/recordings HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {caller.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    )
    line = socket.create_connection((host, int(port)), timeout=TIMEOUT)
    line.sendall(head.encode() + body)
    return line


def test_a_client_that_goes_away(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    session_id = stack.lesson()
    body = (
        f'--b\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{session_id}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.webm"\r\n\r\n'
    ).encode()
    with raw_upload(stack, stack.school.tutor, body + bytes(2_000_000), 1_000_000_000):
        wait_for(stack.spooled)

    wait_for(lambda: not stack.spooled())
    nothing_left(stack, session_id)
    assert stack.school.tutor.get(f"/v1/recordings?session_id={session_id}")["items"] == []
    assert stack.sql("SELECT 1 FROM whiteboard_session_recordings WHERE session_id = %s", session_id) == []


def test_an_upload_to_somebody_elses_session_is_refused_before_its_bytes(stack: UpStack) -> None:
    tutor, session_id = stack.school.tutor, stack.lesson()
    body = (
        f'--b\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{session_id}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.webm"\r\n\r\n'
    ).encode()
    with raw_upload(stack, stack.school.other_tutor, body + bytes(2_000_000), 1_000_000_000):
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert stack.spooled() == []
    response = stack.school.other_tutor.http.post(
        "/v1/recordings",
        content=body + bytes(30_000_000) + b"\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    # The answer comes also to a client that first sends everything.
    assert (
        stack.school.other_tutor.checked_body(response, 404)["detail"]
        == f"There is no whiteboard session {session_id}."
    )
    assert stack.spooled() == []
    assert tutor.get(f"/v1/recordings?session_id={session_id}")["items"] == []


def test_a_failed_ingest_can_be_asked_for_again_and_says_what_helps(stack: UpStack) -> None:
    tutor, session_id = stack.school.tutor, stack.lesson()
    recording_id, job_id = tutor.upload_accepted(session_id, b"no video")
    tutor.job(job_id)

    tutor.post(f"/v1/jobs/{job_id}/retry", status=202)
    job = tutor.job(job_id)
    stack.settled(recording_id)

    assert (job["state"], job["error"]["code"]) == ("failed", "bytes-gone")
    assert "Upload it again" in job["error"]["detail"]
    recording = tutor.get(f"/v1/recordings/{recording_id}")
    assert (recording["is_processing"], recording["is_available"]) == (False, False)
    # The same bytes are then a recording of their own: a failed one stands in nobody's way.
    repeated_id, job_id = tutor.upload_accepted(session_id, b"no video")
    assert repeated_id != recording_id
    assert UUID(tutor.job(job_id)["id"])
    stack.settled(repeated_id)
    nothing_left(stack, session_id)


def test_a_running_ingest_is_cancelled_and_can_be_asked_for_again(
    stack: UpStack, sample: Callable[[str], bytes]
) -> None:
    tutor, session_id = stack.school.tutor, stack.lesson()
    with stack.held():
        recording_id, job_id = tutor.upload_accepted(session_id, sample("audio"))
        tutor.job(job_id, "running")
        tutor.post(f"/v1/jobs/{job_id}/cancel", status=202)
        job = tutor.job(job_id)
    stack.settled(recording_id)

    assert (job["state"], job["error"]["code"]) == ("cancelled", "cancelled")
    recording = tutor.get(f"/v1/recordings/{recording_id}")
    assert (recording["is_processing"], recording["is_available"]) == (False, False)
    assert recording["error"]["code"] == "cancelled"
    assert stack.objects(session_id) == {}
    # Its bytes are kept for another try, and nothing else of it.
    assert stack.spooled() == [stack.recording_row(recording_id)["spool_name"]]
    tutor.post(f"/v1/jobs/{job_id}/cancel", status=409)

    tutor.post(f"/v1/jobs/{job_id}/retry", status=202)
    assert tutor.job(job_id)["state"] == "succeeded"
    assert tutor.get(f"/v1/recordings/{recording_id}")["is_available"]
    stack.settled(recording_id)
    assert stack.spooled() == []


def test_a_waiting_ingest_is_cancelled_at_once(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, session_id, content = stack.school.tutor, stack.lesson(), sample("audio")
    with stack.held():
        # Recordings take one of the media worker's two children: the second upload has to wait for the first.
        busy_id, busy_job_id = tutor.upload_accepted(session_id, content, type="video")
        tutor.job(busy_job_id, "running")
        recording_id, job_id = tutor.upload_accepted(session_id, content, type="board")
        tutor.post(f"/v1/jobs/{job_id}/cancel", status=200)
        job = tutor.get(f"/v1/jobs/{job_id}")
    assert tutor.job(busy_job_id)["state"] == "succeeded"

    assert (job["state"], job["attempt"]) == ("cancelled", 0)
    assert tutor.get(f"/v1/recordings/{recording_id}")["is_processing"] is False
    for item in (recording_id, busy_id):
        stack.settled(item)
    tutor.delete(f"/v1/recordings/{recording_id}")
    stack.settled(recording_id)
    assert stack.spooled() == []
    assert not [name for name in stack.objects(session_id) if f"recording_{recording_id}/" in name]
