"""The story of `astegni demo`: a lesson can be watched, its board looked at, and a student is reminded of the next."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2 as httpx
from rich.console import Console
from rich.table import Column, Table

import worker.dev
from models.people import StudentProfile, TutorProfile, User
from worker.access.tokens import issue_token
from worker.cli.demo_board import draw_on_board, show_board
from worker.cli.demo_reminder import make_lesson_soon, show_reminder
from worker.cli.ingest import upload_and_wait
from worker.cli.story import StoryBroke, client_of, get, post
from worker.database import Database
from worker.dev.signals import interrupted_by_signals
from worker.dev.stack import Stack
from worker.jobs.orders import StoreSource
from worker.media.binaries import find_binaries
from worker.media.probe import probe
from worker.settings import Settings
from worker.storage.store import ObjectStore

# Twelve seconds of VP9 and Opus, as Chromium's MediaRecorder wrote them: no duration, no cues.
LESSON = Path(worker.dev.__file__).with_name("lesson.webm")
STUDENT_EMAIL = "jediael@example.com"


@dataclass(frozen=True)
class People:
    """Who plays: ids of the rows."""

    tutor_user_id: int
    tutor_id: int
    student_user_id: int
    student_id: int


def tell(settings: Settings, *, operator_token: Callable[[], str]) -> None:
    """Run the story on a stack of its own and leave nothing behind. Raises StoryBroke."""
    console = Console()
    console.print("[bold]Starting[/] PostgreSQL, Valkey, the B2 emulator, a mailbox, API, workers, beat and Flower …")
    with interrupted_by_signals(), Stack(settings, operator_token=operator_token) as stack:
        facts = stack.facts()
        console.print(f"Ready: API {facts['api']}, Flower {facts['flower']}, B2 {facts['b2']['realm']}")
        people = _make_people(stack.settings)
        tutor = _token(stack.settings, people.tutor_user_id, "tutor", people.tutor_id)
        with client_of(facts["api"], tutor) as client:
            booking_id = _book(client, people)
            session_id = _open_lesson(client, booking_id)
            console.print(f"A tutor, a student, a booking and whiteboard session {session_id} are made.")
            draw_on_board(client, session_id)
            recording = upload_and_wait(
                client, LESSON, session_id=session_id, title="Quadratic equations", type_="video", console=console
            )
            _wait_for_source(client, recording["id"])
            playback = get(client, f"/v1/recordings/{recording['id']}/playback")
            _show(console, stack.settings, recording, playback)
            show_board(console, client, session_id)
            if facts["mailbox"] is None:
                console.print("SMTP_HOST is set, so no reminder is sent: it would leave this machine.")
                return
            student = _token(stack.settings, people.student_user_id, "student", people.student_id)
            schedule_id = make_lesson_soon(client, booking_id)
            with client_of(facts["api"], student) as reader:
                show_reminder(console, reader, schedule_id, to=STUDENT_EMAIL, mailbox=facts["mailbox"]["url"])


def _make_people(settings: Settings) -> People:
    """Rows that the platform would have: a tutor and a student."""
    database = Database(settings.sqlalchemy_url, pool_size=1)
    try:
        with database.transaction() as session:
            tutor_user = User(first_name="Kush", email="kush@example.com")
            student_user = User(first_name="Jediael", email=STUDENT_EMAIL)
            session.add_all([tutor_user, student_user])
            session.flush()
            tutor = TutorProfile(user_id=tutor_user.id)
            student = StudentProfile(user_id=student_user.id, grade_level="Grade 9")
            session.add_all([tutor, student])
            session.flush()
            return People(tutor_user.id, tutor.id, student_user.id, student.id)
    finally:
        database.close()


def _token(settings: Settings, user_id: int, role: str, profile_id: int) -> str:
    return issue_token(settings.signing_key, sub=user_id, role=role, role_ids={role: profile_id})


def _book(client: httpx.Client, people: People) -> int:
    body = {"student_id": people.student_id, "subject": "Mathematics", "grade_level": "Grade 9"}
    return int(post(client, "/v1/bookings", body)["id"])


def _open_lesson(client: httpx.Client, booking_id: int) -> int:
    body = {"booking_id": booking_id, "session_title": "Quadratic equations"}
    session = post(client, "/v1/whiteboard/sessions", body)
    post(client, f"/v1/whiteboard/sessions/{session['id']}/start", {})
    return int(session["id"])


def _wait_for_source(client: httpx.Client, recording_id: int) -> None:
    """The lesson plays already; the table shows the uploaded bytes too, which follow in a job of their own."""
    path = f"/v1/jobs?subject=recording:{recording_id}&kind={StoreSource.kind}"
    end = time.monotonic() + 60
    while any(job["finished_at"] is None for job in get(client, path)["items"]):
        if time.monotonic() > end:
            raise StoryBroke("The source did not reach B2 within a minute.")
        time.sleep(0.25)


def _show(console: Console, settings: Settings, recording: dict[str, Any], playback: dict[str, Any]) -> None:
    """The table at the end: the row, the objects, and the signed address, fetched and probed again."""
    metadata = recording["recording_metadata"]
    fast_copy = playback["renditions"][0]
    table = Table(Column("what", no_wrap=True), Column("found", overflow="fold"), title="The lesson", show_lines=True)
    table.add_row("is_available", str(recording["is_available"]))
    table.add_row("size", f"{recording['file_size_bytes']:,} bytes")
    table.add_row("duration", f"{recording['duration_seconds']} s ({metadata['duration_ms']} ms)")
    table.add_row("codecs", f"{metadata['codecs']} in {metadata['container']}")
    table.add_row("resolution", f"{metadata['width']} x {metadata['height']}, {metadata['fps']:.1f} frames/s")
    table.add_row("objects in B2", _objects(settings, recording))
    table.add_row("playback address", fast_copy["url"])
    table.add_row("fetched and probed", _fetch_and_probe(settings, fast_copy["url"], metadata["duration_ms"]))
    console.print(table)
    if not recording["is_available"]:
        raise StoryBroke("The recording is not available.")


def _objects(settings: Settings, recording: dict[str, Any]) -> str:
    store = ObjectStore.from_settings(settings)
    prefix = f"videos/whiteboard/session_{recording['session_id']}/"
    return "\n".join(f"{stored.name}  {stored.size:,} bytes" for stored in store.list(prefix))


def _fetch_and_probe(settings: Settings, url: str, expected_ms: int) -> str:
    """Fetch the lesson as a viewer would, and look at what came. Raises StoryBroke when it is not the lesson."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "fetched"
        with httpx.stream("GET", url) as response, file.open("wb") as body:
            if response.status_code != httpx.codes.OK:
                raise StoryBroke(f"The playback address answered {response.status_code}.")
            for chunk in response.iter_bytes():
                body.write(chunk)
        found = probe(file, find_binaries(settings))
        if found.header_duration_ms is None or abs(found.duration_ms - expected_ms) > 100:
            raise StoryBroke("What the playback address gave is not the lesson.")
        return f"{file.stat().st_size:,} bytes of {found.container}, {found.header_duration_ms} ms in its header"
