"""How long a short recording waits behind long jobs: three-hour lessons, their renditions, and many films."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg.types.json import Json

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.material.board_lesson import board_lesson
from benchmarks.material.full_stack import FullStack, running_full_stack, wait_for
from benchmarks.material.samples import distinct, repeats_for, write_recording
from benchmarks.material.sending import Client
from worker.access.issue_token import issue_token

_LONG_RECORDINGS = 3
_FILMS = 20
_POLL = 0.01
_WAITED = Limit("value", "≤", 10.0)
_JOB = """
    SELECT extract(epoch FROM started_at - created_at)::float, extract(epoch FROM finished_at - created_at)::float
      FROM jobs WHERE subject = %s AND kind = 'recordings.ingest' AND state = 'succeeded'
"""
_LEFT = "SELECT id, subject FROM jobs WHERE kind = ANY(%s) AND state NOT IN ('succeeded', 'cancelled')"
# Of a cancelled job: at once, at its next heartbeat, and one that has just ended.
_CANCELLED = {200, 202, 409}
_BEGUN = """
    SELECT 1 FROM jobs
     WHERE kind = ANY(%s) AND subject = ANY(%s) AND state IN ('running', 'succeeded') LIMIT 1
"""
_FILM_KINDS, _RENDITION_KINDS = ["canvases.replay"], ["recordings.renditions", "recordings.pictures"]
_COPY = """
    COPY whiteboard_canvas_data
         (page_id, session_id, stroke_type, stroke_data, stroke_order, created_at, started_at, ended_at) FROM STDIN
"""


def measure_fairness(scale: Scale) -> Figure:
    """Measure a recording of five minutes alone, behind three of three hours and their renditions, and behind films."""
    figure = Figure("Fairness: a short recording behind long work")
    with running_full_stack() as full_stack:
        short = write_recording(full_stack.folder, full_stack.binaries, repeats=repeats_for(scale.short_minutes))
        _upload(full_stack, short, 0)
        full_stack.settle()
        alone = _waited(full_stack, _upload(full_stack, short, 1))
        full_stack.settle()
        long_ones = _upload_long(full_stack, scale)
        behind_recordings = _waited(full_stack, _upload(full_stack, short, 2))
        behind_renditions, renditions_left = _behind_renditions(full_stack, short, long_ones)
        full_stack.settle()
        behind_films, films_left = _behind_films(full_stack, short, scale)
    lengths = f"{scale.short_minutes:g} min"
    long = f"{_LONG_RECORDINGS} recordings of {3 * scale.long_minutes:g} min by the same tutor"
    films = f"{_FILMS} films of boards of {scale.long_minutes:g} min by another tutor"
    figure.readings += [
        Reading(f"{lengths}, alone: wait", alone[0], "s"),
        Reading(f"{lengths}, alone: available after", alone[1], "s"),
        Reading(f"{lengths} behind {long}: wait", behind_recordings[0], "s", limit=_WAITED),
        Reading("the same: available after", behind_recordings[1], "s"),
        Reading(f"{lengths} behind the renditions of these: wait", behind_renditions[0], "s", limit=_WAITED),
        Reading("the same: available after", behind_renditions[1], "s"),
        Reading(f"{lengths} behind {films}: wait", behind_films[0], "s", limit=_WAITED),
        Reading("the same: available after", behind_films[1], "s"),
    ]
    figure.notes.append(
        "Seconds from the response to the upload until its job started, and until the recording could be watched, on a "
        "worker with two children. Renditions or pictures of "
        f"{renditions_left} recordings were unfinished when the recording behind them became available, and "
        f"{films_left} of {_FILMS} films when the last one did."
    )
    return figure


def _upload_long(full_stack: FullStack, scale: Scale) -> list[str]:
    """Upload recordings of three hours; returns the subjects of their jobs."""
    long = write_recording(full_stack.folder, full_stack.binaries, repeats=repeats_for(3 * scale.long_minutes))
    return [f"recording:{_upload(full_stack, long, number)}" for number in range(_LONG_RECORDINGS)]


def _behind_renditions(full_stack: FullStack, short: Path, subjects: list[str]) -> tuple[tuple[float, float], int]:
    """A recording that comes when renditions of these subjects are begun; the rest of them is cancelled."""
    with full_stack.connect() as connection:
        wait_for(lambda: connection.execute(_BEGUN, [_RENDITION_KINDS, subjects]).fetchone() is not None, pause=_POLL)
    waited = _waited(full_stack, _upload(full_stack, short, 4))
    return waited, _cancel_left(full_stack, _RENDITION_KINDS)


def _behind_films(full_stack: FullStack, short: Path, scale: Scale) -> tuple[tuple[float, float], int]:
    with Client(full_stack.address, _another_tutor(full_stack)) as other:
        board = _board(scale)
        for _film in range(_FILMS):
            session_id = int(other.post("/v1/whiteboard/sessions", {"session_title": "Figures"})["id"])
            _draw(full_stack, session_id, board)
            other.post(f"/v1/whiteboard/sessions/{session_id}/replay", status=202)
    waited = _waited(full_stack, _upload(full_stack, short, 3))
    return waited, _cancel_left(full_stack, _FILM_KINDS)


def _cancel_left(full_stack: FullStack, kinds: list[str]) -> int:
    """Cancel the jobs of these kinds that have not ended; returns how many subjects had one."""
    with full_stack.connect() as connection:
        left = connection.execute(_LEFT, [kinds]).fetchall()
    with full_stack.operator() as operator:
        for job_id, _subject in left:
            sent = operator.request("POST", f"/v1/jobs/{job_id}/cancel")
            if sent.status not in _CANCELLED:
                raise RuntimeError(f"Cancelling job {job_id} was answered {sent.status}: {sent.body}")
    return len({subject for _job_id, subject in left})


def _upload(full_stack: FullStack, recording: Path, number: int) -> int:
    """Upload these bytes, made distinct by `number`, into a new session; returns the recording's id."""
    copy = full_stack.folder / f"fairness-{number}{recording.suffix}"
    shutil.copyfile(recording, copy)
    with copy.open("ab") as tail:
        tail.write(distinct(b"", number))
    with full_stack.tutor() as client:
        sent = client.upload("/v1/recordings", copy, session_id=full_stack.open_lesson(client))
    copy.unlink()
    if sent.status != 202:
        raise RuntimeError(f"The upload was answered {sent.status}: {sent.body}")
    return int(sent.body["recording_id"])


def _waited(full_stack: FullStack, recording_id: int) -> tuple[float, float]:
    """Seconds until the ingest started, and until it ended."""
    waits: list[tuple[float, float]] = []
    with full_stack.connect() as connection:

        def ended() -> bool:
            row = connection.execute(_JOB, [f"recording:{recording_id}"]).fetchone()
            waits.extend([] if row is None else [(row[0], row[1])])
            return row is not None

        wait_for(ended, pause=_POLL)
    return waits[0]


def _another_tutor(full_stack: FullStack) -> str:
    """A token of a tutor who shares no row with the first."""
    with full_stack.connect() as connection:
        row = connection.execute(
            "WITH person AS (INSERT INTO users (first_name, email) VALUES ('Another', 'a@example.org') RETURNING id)"
            " INSERT INTO tutor_profiles (user_id) SELECT id FROM person RETURNING user_id, id"
        ).fetchone()
    assert row is not None
    return issue_token(full_stack.stack.settings.signing_key, sub=row[0], role="tutor", role_ids={"tutor": row[1]})


def _board(scale: Scale) -> list[dict[str, Any]]:
    document = board_lesson(
        seconds=round(60 * scale.long_minutes), pages=1, strokes=scale.film_strokes, points=30 * scale.film_strokes
    )
    return list(document["pages"][0]["strokes"])


def _draw(full_stack: FullStack, session_id: int, strokes: list[dict[str, Any]]) -> None:
    """Insert the strokes on the first page of the session, as if they had been drawn there."""
    with full_stack.connect() as connection:
        page = connection.execute("SELECT id FROM whiteboard_pages WHERE session_id = %s", [session_id]).fetchone()
        assert page is not None
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for stroke in strokes:
                times = [datetime.fromisoformat(stroke[name]) for name in ("created_at", "started_at", "ended_at")]
                data = Json(stroke["stroke_data"])
                copy.write_row([page[0], session_id, stroke["stroke_type"], data, stroke["stroke_order"], *times])
