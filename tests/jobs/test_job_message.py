"""Which jobs share a message."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from worker.jobs.job_message import messages_of


def published(**different: Any) -> Any:
    row = {
        "id": uuid4(),
        "kind": "tests.sample",
        "queue": "default",
        "lane": None,
        "attempt": 0,
        "publications": 1,
        "time_limit": 270,
        "children": 2,
    }
    return SimpleNamespace(**(row | different))


@pytest.mark.parametrize(
    ("jobs", "children", "sizes"),
    [
        (1, 2, [1]),
        (2, 2, [1, 1]),
        (3, 2, [2, 1]),
        (8, 2, [4, 4]),
        (8, 8, [1] * 8),
        (40, 2, [14, 13, 13]),
        (100, 2, [15, 15] + [14] * 5),
        # No worker has shown itself yet.
        (3, None, [3]),
    ],
)
def test_every_child_gets_a_message_before_any_gets_a_second_job(
    jobs: int, children: int | None, sizes: list[int]
) -> None:
    rows = [published(children=children) for _ in range(jobs)]
    messages = messages_of(rows)
    assert [len(message.job_ids) for message in messages] == sizes
    assert {job_id for message in messages for job_id in message.job_ids} == {row.id for row in rows}


def test_the_oldest_jobs_are_the_first_of_their_messages() -> None:
    rows = [published() for _ in range(4)]
    first, second = messages_of(rows)
    assert first.job_ids == (rows[0].id, rows[2].id)
    assert second.job_ids == (rows[1].id, rows[3].id)


@pytest.mark.parametrize(
    "different",
    [
        {"kind": "tests.other"},
        {"queue": "reminders"},
        {"time_limit": 60},
        {"lane": "background"},
        {"attempt": 1},
        {"publications": 2},
    ],
)
def test_others_travel_alone(different: dict[str, Any]) -> None:
    usual, other = [published(children=1) for _ in range(2)], published(children=1, **different)
    shared, alone = messages_of([*usual, other])
    assert shared.job_ids == tuple(row.id for row in usual)
    assert alone.job_ids == (other.id,)


def test_the_last_job_that_begins_has_its_whole_time_limit() -> None:
    assert messages_of([published(children=1)])[0].time_limit == 270
    assert messages_of([published(children=1) for _ in range(2)])[0].time_limit == 272


def test_each_publication_has_a_message_of_its_own() -> None:
    row = published(attempt=1, publications=3)
    assert messages_of([row])[0].message_id == f"{row.id}:1.3"
