"""While a lesson is being made, and when it could not be: what the page says, in both languages."""

import json
from typing import Any

import pytest

from tests.browser.watch.conftest import Lesson, Open
from tests.conftest import Sql

_JOB = (
    "INSERT INTO jobs (kind, principal, subject, state, attempt, run_token, lease_until, progress, progress_note)"
    " VALUES ('recordings.ingest', 'user:1', :subject, 'running', 1, gen_random_uuid(), now() + interval '1 hour',"
    " 40, 'copying') RETURNING id"
)
_MAKING = (
    "UPDATE whiteboard_session_recordings SET is_processing = true, is_available = false, job_id = :job WHERE id = :id"
)
_PROGRESS = "UPDATE jobs SET progress = :progress WHERE id = :job"
_MADE = "UPDATE whiteboard_session_recordings SET is_processing = false, is_available = true WHERE id = :id"
_FAILED = (
    "UPDATE whiteboard_session_recordings SET is_processing = false, is_available = false,"
    " error = CAST(:error AS jsonb) WHERE id = :id"
)


def test_progress_is_shown_until_the_lesson_plays(lesson: Lesson, open_lesson: Open, sql: Sql) -> None:
    lesson.put_strokes()
    [(job,)] = sql(_JOB, subject=f"recording:{lesson.recording}")
    sql(_MAKING, job=job, id=lesson.recording)
    viewer = open_lesson()
    viewer.wait("document.getElementById('progress').value === 40")
    assert viewer.text("makingText") == "The lesson is being prepared: copying"
    assert viewer.run("document.getElementById('player').hidden") is True
    sql(_PROGRESS, progress=70, job=job)
    viewer.wait("document.getElementById('progress').value === 70")
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait("document.getElementById('makingText').textContent === 'ትምህርቱ እየተዘጋጀ ነው'")
    sql(_MADE, id=lesson.recording)
    viewer.wait("document.querySelector('[name=mode]:checked')?.value === 'strokes'")
    assert viewer.run("document.getElementById('making').hidden") is True
    assert viewer.run("faults") == []


@pytest.mark.parametrize(
    ("error", "english", "amharic"),
    [
        (
            {"code": "media-rejected", "reason": "damaged", "detail": "Nothing of it plays."},
            "The lesson could not be prepared. Nothing of it plays.",
            "ትምህርቱን ማዘጋጀት አልተቻለም። ፋይሉ ተበላሽቷል።",
        ),
        ({"code": "no-file", "detail": "None."}, "This recording has no file.", "ይህ ቀረጻ ፋይል የለውም።"),
    ],
)
def test_what_failed_is_said_in_both_languages(
    lesson: Lesson, open_lesson: Open, sql: Sql, error: dict[str, Any], english: str, amharic: str
) -> None:
    sql(_FAILED, error=json.dumps(error), id=lesson.recording)
    viewer = open_lesson()
    viewer.wait(f"document.getElementById('alerts').textContent === {json.dumps(english)}")
    viewer.run("document.querySelector('[data-language=am]').click()")
    viewer.wait(f"document.getElementById('alerts').textContent === {json.dumps(amharic)}")
    assert viewer.run("document.getElementById('player').hidden") is True
