"""Sample data: a tutor, a student, a parent, a booking, a lesson, a whiteboard session, and two files."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx2 as httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile, User
from worker import clock
from worker.access.issue_token import issue_token
from worker.cli.demo.board import draw_on_board
from worker.cli.demo.client import client_of, get, post
from worker.cli.demo.reminder import make_lesson
from worker.database import Database
from worker.settings import Settings

STUDENT_EMAIL = "jediael@example.com"
_TUTOR_EMAIL, _PARENT_EMAIL = "kush@example.com", "hanna@example.com"
_SUBJECT = "Mathematics"
# Its reminder, 15 minutes before, is due within a day.
_LESSON_STARTS_IN = timedelta(hours=23)

Profile = TypeVar("Profile", TutorProfile, StudentProfile, ParentProfile)


@dataclass(frozen=True)
class SamplePerson:
    """A person as tokens identify them: `users.id` and the id of the profile of their role."""

    role: str
    user_id: int
    profile_id: int
    token: str


@dataclass(frozen=True)
class Sample:
    """The ids of the sample's rows.

    The lesson is less than a day ahead, the whiteboard session is running, and `page_id` is its first page.
    """

    tutor: SamplePerson
    student: SamplePerson
    parent: SamplePerson
    booking_id: int
    schedule_id: int
    session_id: int
    page_id: int

    def as_json(self) -> dict[str, Any]:
        """The sample as JSON values. Contains tokens."""
        return asdict(self)


def make_sample(settings: Settings, api: str) -> Sample:
    """Create the people in the database and the rest through the API at `api`. Idempotent: existing rows are reused.

    Raises DemoFailed when the API refuses a step.
    """
    tutor, student, parent = _people(settings)
    with client_of(api, tutor.token) as tutor_client, client_of(api, student.token) as student_client:
        booking_id = _booking(tutor_client, student_client, tutor.profile_id)
        schedule_id = _lesson(tutor_client, booking_id)
        session_id = _whiteboard_session(tutor_client, booking_id)
        page_id = int(get(tutor_client, f"/v1/whiteboard/sessions/{session_id}/pages")["items"][0]["id"])
        draw_on_board(tutor_client, session_id)
    return Sample(tutor, student, parent, booking_id, schedule_id, session_id, page_id)


def _people(settings: Settings) -> tuple[SamplePerson, SamplePerson, SamplePerson]:
    """Create the rows of the platform's users."""
    database = Database(settings.sqlalchemy_url, pool_size=1)
    try:
        with database.transaction() as session:
            tutor = _user(session, "Kush", _TUTOR_EMAIL)
            student = _user(session, "Jediael", STUDENT_EMAIL)
            parent = _user(session, "Hanna", _PARENT_EMAIL)
            tutor_profile = _profile(session, TutorProfile, tutor.id)
            student_profile = _profile(session, StudentProfile, student.id)
            parent_profile = _profile(session, ParentProfile, parent.id)
            student_profile.grade_level = "Grade 9"
            student_profile.parent_id = [parent_profile.id]
            return (
                _person(settings, "tutor", tutor.id, tutor_profile.id),
                _person(settings, "student", student.id, student_profile.id),
                _person(settings, "parent", parent.id, parent_profile.id),
            )
    finally:
        database.close()


def _user(session: Session, first_name: str, email: str) -> User:
    user = session.scalars(select(User).where(User.email == email)).first() or User(first_name=first_name, email=email)
    session.add(user)
    session.flush()
    return user


def _profile(session: Session, table: type[Profile], user_id: int) -> Profile:
    profile = session.scalars(select(table).where(table.user_id == user_id)).first() or table(user_id=user_id)
    session.add(profile)
    session.flush()
    return profile


def _person(settings: Settings, role: str, user_id: int, profile_id: int) -> SamplePerson:
    token = issue_token(settings.signing_key, sub=user_id, role=role, role_ids={role: profile_id})
    return SamplePerson(role, user_id, profile_id, token)


def _booking(tutor: httpx.Client, student: httpx.Client, tutor_id: int) -> int:
    """The active booking; created by the student's request and the tutor's acceptance when there is none."""
    for booking in get(tutor, "/v1/bookings")["items"]:
        if booking["status"] == "active":
            return int(booking["id"])
    request = post(student, "/v1/session-requests", {"tutor_id": tutor_id, "package_name": _SUBJECT})
    accepted = post(tutor, f"/v1/session-requests/{request['id']}/accept", {"subject": _SUBJECT})
    return int(accepted["booking_id"])


def _lesson(tutor: httpx.Client, booking_id: int) -> int:
    """A future lesson of the booking; created when there is none."""
    now = clock.now()
    query = urlencode({"from": now.isoformat(), "to": (now + timedelta(days=1)).isoformat()})
    for lesson in get(tutor, f"/v1/schedules?{query}")["items"]:
        if lesson["booking_id"] == booking_id and lesson["status"] == "scheduled":
            return int(lesson["id"])
    return make_lesson(tutor, booking_id, starts_in=_LESSON_STARTS_IN)


def _whiteboard_session(tutor: httpx.Client, booking_id: int) -> int:
    """A running session of the booking; created when there is none."""
    for session in get(tutor, "/v1/whiteboard/sessions")["items"]:
        if session["booking_id"] == booking_id and session["status"] == "in_progress":
            return int(session["id"])
    body = {"booking_id": booking_id, "session_title": "Quadratic equations"}
    session_id = int(post(tutor, "/v1/whiteboard/sessions", body)["id"])
    post(tutor, f"/v1/whiteboard/sessions/{session_id}/start", {})
    return session_id
