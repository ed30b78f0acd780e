"""Nothing that people write appears in a log or in a job's error: a real API, a real worker, and unique words.

Written down on purpose are ids, the templates of routes, and a client's own `X-Request-ID` (docs/operations.md).
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiosmtpd.controller import Controller

from devstack.emulator.credentials import Credentials
from devstack.ports import free_port
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token

AUDIO = Path(__file__).parent.parent / "data" / "audio.webm"
# Nothing is running, and all was tried once.
UNTRIED = """
    SELECT (SELECT count(*) FROM jobs
             WHERE state IN ('queued', 'published', 'running', 'retryable') AND (attempt = 0 OR state = 'running'))
         + (SELECT count(*) FROM deliveries WHERE state = 'sending' OR state = 'pending' AND attempts = 0)
"""

UNPAUSED = """
    WITH passed AS (DELETE FROM provider_troubles)
    UPDATE deliveries SET due_at = now() WHERE state = 'pending' AND attempts = 0 AND due_at > now()
"""


class Words:
    """Words of which each is found in no other text; the name says where it was put."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.all: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        word = f"q{secrets.token_hex(5)}z{next(self._numbers)}"
        self.all[word] = place
        return word

    def keep(self, place: str, secret: str) -> str:
        """A secret that the product made counts as well."""
        self.all[secret.lower()] = place
        return secret

    def found_in(self, text: str) -> set[str]:
        """Where the words were put that `text` holds, in whatever case."""
        text = text.lower()
        return {f"{place}: {word}" for word, place in self.all.items() if word in text}


class RefusingMail:
    """A mail server that repeats the recipient in its refusal, as most do, and the first mail's subject.

    It knows who is called `friend`, and everybody after two whom it does not know: three in a row would be taken for a
    server that knows nobody, and mail would wait.
    """

    def __init__(self) -> None:
        self._unknown = 0
        self._refused = False

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address.startswith("friend") or self._unknown == 2:
            self._unknown = 0
            envelope.rcpt_tos.append(address)
            return "250 OK"
        self._unknown += 1
        return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown {address}"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self._refused:
            return "250 OK"
        self._refused = True
        match = re.search(rb"Subject: (.*)", envelope.content)
        return f"554 5.6.0 cannot take {match[1].decode() if match else ''}"


@pytest.fixture
def mail_port() -> Iterator[int]:
    controller = Controller(RefusingMail(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield int(controller.port)
    controller.stop()


@pytest.fixture
def words() -> Words:
    return Words()


class Client:
    """Whoever asks; no answer of its requests is a surprise."""

    def __init__(self, http: httpx2.Client, token: str) -> None:
        self._http = http
        self._http.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, expected: int, method: str, path: str, body: Any = None, **options: Any) -> Any:
        response = self._http.request(method, path, **({} if body is None else {"json": body}), **options)
        assert response.status_code == expected, (method, path, response.status_code, response.text)
        return response.json() if response.headers.get("content-type", "").endswith("json") else response.text


def _lessons(ask: Client, words: Words, booking_id: int) -> None:
    fields = {name: words(name) for name in ("subject", "grade_level", "location", "notes")}
    link = f"https://meet.example/{words('meeting_link')}"
    times = {"booking_id": booking_id, "start_time": "14:00", "end_time": "15:00"}
    schedule = ask(
        201, "POST", "/v1/schedules", {**times, **fields, "meeting_link": link, "schedule_date": "2099-01-05"}
    )
    ask(200, "POST", f"/v1/schedules/{schedule['schedule_id']}/cancel", {})
    ask(422, "POST", "/v1/schedules", {**times, "recurrence_pattern": words("recurrence_pattern")})
    ask(422, "POST", "/v1/schedules", {**times, "schedule_date": words("schedule_date")})
    ask(422, "POST", "/v1/schedules", {**times, words("field"): 1})
    ask(422, "POST", "/v1/schedules", {**times, "timezone": words("timezone"), "schedule_date": "2099-01-05"})


def _boards(ask: Client, words: Words, booking_id: int) -> int:
    fields = {"session_title": words("session_title"), "session_description": words("session_description")}
    session = ask(201, "POST", "/v1/whiteboard/sessions", {"booking_id": booking_id, **fields})
    page = f"/v1/whiteboard/pages/{session['pages'][0]['id']}"
    text = {"x": 10, "y": 40, "text": words("stroke text"), "size": 20}
    strokes = [
        {"client_id": words("client_id"), "stroke_type": "text", "stroke_data": text},
        {"client_id": "b", "stroke_type": words("stroke_type"), "stroke_data": text},
        {"client_id": "c", "stroke_type": "pen", "stroke_data": {"points": words("points")}},
    ]
    ask(200, "POST", f"{page}/strokes", {"strokes": strokes})
    ask(202, "POST", f"{page}/snapshot")
    board = f"/v1/whiteboard/sessions/{session['id']}"
    image = f"images/posts/{words('background_image')}.png"
    second = ask(201, "POST", f"{board}/pages", {"page_title": words("page_title"), "background_image": image})
    ask(200, "POST", f"/v1/whiteboard/pages/{second['id']}/strokes", {"strokes": strokes[:1]})
    # Libraries that fetch the picture see its name.
    ask(202, "POST", f"/v1/whiteboard/pages/{second['id']}/snapshot")
    ask(200, "GET", f"{board}/board")
    return int(session["id"])


def _played(ask: Client, words: Words) -> None:
    """Whoever has a signed address can play the lesson."""
    playable = [item["id"] for item in ask(200, "GET", "/v1/recordings")["items"] if item["is_available"]]
    assert playable
    for recording_id in playable:
        renditions = ask(200, "GET", f"/v1/recordings/{recording_id}/playback")["renditions"]
        assert renditions
        for rendition in renditions:
            token = rendition["url"].partition("Authorization=")[2]
            assert token
            words.keep("signed address", token)


def _uploads(ask: Client, words: Words, session_id: int) -> None:
    whole = AUDIO.read_bytes()
    # Of a file that ends in the middle of its header, and of none at all, ffmpeg has much to say.
    for content in (words("bytes").encode() * 200, whole[:200] + words("damaged bytes").encode() * 300, whole):
        fields = {"session_id": str(session_id), "title": words("title"), "type": "board"}
        file = (f"{words('filename')}.webm", content)
        ask(202, "POST", "/v1/recordings", data=fields, files={"file": file})
    for field in ("session_id", "type", "started_at"):
        fields = {"session_id": str(session_id), field: words(f"wrong {field}")}
        ask(422, "POST", "/v1/recordings", data=fields, files={"file": (words("filename"), whole)})


def _channels(ask: Client, words: Words) -> None:
    def register(kind: str, address: str, status: int = 201) -> Any:
        return ask(status, "POST", "/v1/me/channels", {"kind": kind, "address": address})

    register("email", f"{words('mailbox')}@{words('mail domain')}.example")
    register("email", f"friend-{words('mailbox that is taken')}@example.org")
    # Every machine resolves it, and no service of ours is named so.
    host = words.keep("webhook host", "localhost")
    hook = f"https://{host}:{free_port()}/{words('webhook path')}?token={words('webhook token')}"
    words.keep("webhook secret", register("webhook", hook)["secret"])
    register("apprise", f"json://localhost/{words('apprise path')}", 422)
    register("apprise", f"nothing://{words('apprise token')}/{words('apprise chat')}", 422)
    register("webhook", f"http://{words('refused webhook host')}.example/", 422)
    register(words("kind"), words("address"), 422)
    ask(422, "PUT", "/v1/me/notification-preferences", {"timezone": words("zone"), "channels": [words("channel")]})


def _secrets_of_addresses(ask: Client, words: Words, job_id: str) -> None:
    feed = ask(201, "POST", "/v1/me/calendar")["url"]
    ask(200, "GET", words.keep("calendar secret", feed.rpartition("/")[2]).join((feed.rpartition("/")[0] + "/", "")))
    ask(404, "GET", f"/v1/calendar/{words('unknown calendar')}.ics")
    ticket = ask(201, "POST", f"/v1/jobs/{job_id}/events/ticket")["url"]
    words.keep("ticket", ticket.partition("ticket=")[2])
    ask(401, "GET", f"/v1/jobs/{job_id}/events?ticket={words('wrong ticket')}", headers={"Authorization": ""})
    ask(401, "GET", "/v1/bookings", headers={"Authorization": f"Bearer {words('wrong token')}"})
    ask(422, "GET", f"/v1/bookings?cursor={words('cursor')}")
    ask(404, "GET", f"/{words('path')}/{words('path')}?{words('query')}=1")
    ask(404, "GET", f"/v1/bookings/{words('id')}")
    headers = {name: words(name) for name in ("User-Agent", "Referer", "Cookie", "Last-Event-ID", "Idempotency-Key")}
    ask(415, "POST", "/v1/bookings", headers=headers, content=words("body").encode())
    ask(422, "POST", "/v1/bookings", headers={"Content-Type": "application/json"}, content=words("no JSON").encode())


def _bookings(ask: Client, other: Client, words: Words) -> None:
    fields = {name: words(name) for name in ("subject", "grade_level", "notes", "package_name")}
    ask(201, "POST", "/v1/bookings", {"student_id": 25, **fields})
    ask(422, "POST", "/v1/bookings", {"student_id": words("student_id")})
    request_fields = {name: words(name) for name in ("student_name", "message", "contact_email", "package_name")}
    request = other(201, "POST", "/v1/session-requests", {"tutor_id": 11, **request_fields})
    ask(200, "POST", f"/v1/session-requests/{request['id']}/reject", {"reason": words("reason")})


def _broken_rows(ask: Client, words: Words, sql: Sql, session_id: int) -> None:
    """PostgreSQL says of a row that it rejects what stands in it."""
    sql("ALTER TABLE tutor_student_bookings ADD CONSTRAINT broken CHECK (grade_level <> 'broken') NOT VALID")
    ask(500, "POST", "/v1/bookings", {"student_id": 25, "grade_level": "broken", "notes": words("notes of no row")})
    sql(
        "ALTER TABLE whiteboard_session_recordings ADD CONSTRAINT broken"
        " CHECK (recording_type <> 'screen' OR duration_seconds IS NULL) NOT VALID"
    )
    fields = {"session_id": str(session_id), "title": words("title of no row"), "type": "screen"}
    file = (f"{words('file of no row')}.webm", AUDIO.read_bytes())
    ask(202, "POST", "/v1/recordings", data=fields, files={"file": file})


def _until_all_was_tried(sql: Sql, logs: Callable[[], str]) -> None:
    events = ("delivery_refused", "job_crashed", "job_not_done", "job_succeeded")

    def is_done() -> bool:
        # A server that refuses makes what waits for it pause for a minute.
        sql(UNPAUSED)
        return bool(sql(UNTRIED) == [(0,)]) and all(event in logs() for event in events)

    wait_for(
        is_done,
        within=2 * TIMEOUT,
        details=lambda: logs()[-4000:],
    )


@pytest.mark.parametrize("log_level", ["INFO", "DEBUG"])
def test_no_log_and_no_job_holds_what_people_write(
    log_level: str,
    words: Words,
    settings: MakeSettings,
    processes: Processes,
    school: School,
    sql: Sql,
    redis_url: str,
    b2: Credentials,
    mail_port: int,
) -> None:
    key = words.keep("SECRET_KEY", secrets.token_hex(32))
    process_settings = settings(
        secret_key=key,
        log_level=log_level,
        smtp_host="127.0.0.1",
        smtp_port=mail_port,
        webhook_allowed_networks="127.0.0.0/8,::1/128",
        spool_reserve_bytes=0,
    )
    for person in (1, 2, 3, 4, 5, 6):
        name = words("first_name")
        sql(
            "UPDATE users SET first_name = :name, email = :email WHERE id = :id",
            name=name,
            email=f"{name}@example.org",
            id=person,
        )
    worker = processes.worker(process_settings)
    url, _api = processes.api(process_settings)

    with ExitStack() as clients:

        def client(user_id: int, **roles: int) -> Client:
            token = words.keep("token", issue_token(key, sub=user_id, role_ids=roles))
            return Client(clients.enter_context(httpx2.Client(base_url=url, trust_env=False, timeout=TIMEOUT)), token)

        tutor, student = client(1, tutor=11), client(2, student=22)
        _lessons(tutor, words, school.booking_id)
        session_id = _boards(tutor, words, school.booking_id)
        _uploads(tutor, words, session_id)
        _bookings(tutor, student, words)
        _channels(student, words)
        _secrets_of_addresses(tutor, words, tutor(200, "GET", "/v1/jobs")["items"][0]["id"])
        _broken_rows(tutor, words, sql, session_id)
        _until_all_was_tried(sql, processes.logs)
        _played(tutor, words)
    assert worker.exit_code is None
    processes.close()

    assert words.found_in(processes.logs()) == set()
    errors = sql(
        "SELECT error::text FROM jobs UNION SELECT error::text FROM job_attempts UNION SELECT progress_note FROM jobs"
    )
    assert words.found_in(" ".join(str(row[0]) for row in errors)) == set()
    assert words.found_in(" ".join(str(row[0]) for row in sql("SELECT reason FROM deliveries"))) == set()
    outcomes = {row[0] for row in sql("SELECT state FROM jobs")}
    assert {"succeeded", "failed"} <= outcomes
