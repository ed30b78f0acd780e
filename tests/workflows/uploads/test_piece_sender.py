"""The sender of a piece is verified by the same rules as any caller."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.conftest import School, Sql
from worker import clock
from worker.access.callers import UserCaller
from worker.database import Database
from worker.errors import NotFound, Unauthorized
from worker.platform.people import PlatformPeople
from worker.uploads.upload_limits import UploadLimits
from worker.workflows.people.verify_caller import verify_caller
from worker.workflows.uploads.piece_sender import PieceSender

UPLOAD = "a" * 32


def _read(database: Database, user: UserCaller, platform: PlatformPeople | None = None) -> list[UploadLimits | None]:
    """What was read; [] for somebody who is not verified, [None] for somebody who has no such upload."""
    verified: list[UserCaller] = []
    sender = PieceSender(user, platform, now=clock.now(), on_verified=lambda: verified.append(user))
    limits = None
    with database.statement() as statement:
        try:
            limits = sender.read_limits(statement, UPLOAD, user.principal)
        except Unauthorized:
            assert not sender.is_verified
        except NotFound:
            assert sender.is_verified
    assert len(verified) == sender.is_verified
    return [limits] if sender.is_verified else []


@pytest.fixture
def upload(sql: Sql, school: School) -> None:
    sql(
        "INSERT INTO whiteboard_sessions (id, booking_id, session_title) VALUES (7, :booking_id, 'x')",
        booking_id=school.booking_id,
    )
    sql(
        "INSERT INTO uploads (id, principal, recorded_by, session_id, spool_id, recording_type, reserved)"
        " VALUES (:id, :principal, 1, 7, 'shared', 'board', 10)",
        id=UPLOAD,
        principal=school.tutor.principal,
    )


@pytest.mark.usefixtures("upload")
def test_the_creator_reads_the_upload_and_nobody_else(database: Database, school: School) -> None:
    assert _read(database, school.tutor) == [UploadLimits("open", None, 10)]
    assert _read(database, school.other_tutor) == [None]


@pytest.mark.usefixtures("upload")
def test_who_is_shut_out_or_claims_too_much_is_not_verified(database: Database, school: School, sql: Sql) -> None:
    assert _read(database, replace(school.tutor, user_id=999)) == []
    assert _read(database, replace(school.tutor, tutor_id=14)) == []
    sql("UPDATE users SET is_active = false WHERE id = 1")
    assert _read(database, school.tutor) == []


def test_who_was_read_from_the_platform_too_long_ago_is_not_verified(
    database: Database, platform_people: PlatformPeople, sql: Sql
) -> None:
    user = UserCaller(13, None, None, 17, None)
    assert _read(database, user, platform_people) == []
    verify_caller(database, platform_people, user, now=clock.now())
    assert _read(database, user, platform_people) == [None]
    sql("UPDATE users SET platform_read_at = :at", at=clock.now() - timedelta(minutes=2))
    assert _read(database, user, platform_people) == []
