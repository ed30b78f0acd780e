"""The history of an installation that has run for years: which tables have how many rows, as lessons make them."""

import json
from dataclasses import dataclass
from random import Random

from benchmarks.material.boards import handwriting
from benchmarks.rows.selects import (
    ATTEMPT_COLUMNS,
    ATTEMPTS,
    BEGINS,
    BOARD_COLUMNS,
    BOARDS,
    DELIVERIES,
    DELIVERY_COLUMNS,
    JOB_COLUMNS,
    JOBS,
    KINDS,
    LESSON_COLUMNS,
    LESSONS,
    PAGE_COLUMNS,
    PAGES,
    PARTICIPANT_COLUMNS,
    PARTICIPANTS,
    PAST,
    ROUTINE,
    STROKE_COLUMNS,
    STROKES,
)

# Points of a stroke: from a dot to a long line.
_SHORTEST, _LONGEST = 4, 24
_STROKES_OF_A_PAGE, _PAGES = 300, 5
# Of what is filled nothing else refers to these: they may be truncated.
LARGE = frozenset({"jobs", "job_attempts", "deliveries", "whiteboard_canvas_data"})
# Two people, two alarms, two channels.
_OF_A_LESSON = 8
# What beat orders in two days: it is kept for one.
_ROUTINE_MOST = 12_000


@dataclass(frozen=True)
class Contents:
    """What one INSERT writes into a table."""

    table: str
    rows: int
    columns: str
    select: str


def pairs_of(rows: int) -> int:
    """How many tutors, and as many students, have this history."""
    return max(1, rows // 2000)


def contents(rows: int) -> list[list[Contents]]:
    """The history of `rows` jobs, as many deliveries and strokes, and what they belong to: groups by these three."""
    sizes = {
        "rows": rows,
        "pairs": pairs_of(rows),
        "routine": min(rows // 8, _ROUTINE_MOST),
        "lessons": rows // _OF_A_LESSON,
        "pages": -(-rows // _STROKES_OF_A_PAGE),
        "boards": -(-rows // (_STROKES_OF_A_PAGE * _PAGES)),
    }
    past = PAST.format(**sizes, kinds=KINDS)
    begins = BEGINS.format(**sizes)

    def content(table: str, count: str, columns: str, select: str) -> Contents:
        return Contents(table, sizes[count], columns, select.format(**sizes, past=past, begins=begins))

    return [
        [
            content("jobs", "rows", JOB_COLUMNS, JOBS),
            content("jobs", "routine", JOB_COLUMNS, ROUTINE),
            content("job_attempts", "rows", ATTEMPT_COLUMNS, ATTEMPTS),
        ],
        [
            content("tutor_schedules", "lessons", LESSON_COLUMNS, LESSONS),
            content("schedule_participants", "lessons", PARTICIPANT_COLUMNS, PARTICIPANTS),
            content("deliveries", "rows", DELIVERY_COLUMNS, DELIVERIES),
        ],
        [
            content("whiteboard_sessions", "boards", BOARD_COLUMNS, BOARDS),
            content("whiteboard_pages", "pages", PAGE_COLUMNS, PAGES),
            content("whiteboard_canvas_data", "rows", STROKE_COLUMNS, STROKES),
        ],
    ]


def _samples() -> list[tuple[int, str]]:
    chance = Random(9)
    return [
        (
            number,
            json.dumps(
                {"points": handwriting(chance, chance.randint(_SHORTEST, _LONGEST)), "color": "#1d4ed8", "width": 3}
            ),
        )
        for number in range(200)
    ]


SAMPLES = _samples()
