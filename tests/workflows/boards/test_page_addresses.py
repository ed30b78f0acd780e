"""Which recording, and which second of it, a page of a board leads to."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.timed_recordings import TimedRecording
from worker.workflows.boards.page_addresses import address_of, first_place, with_addresses

BEGUN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def ms(seconds: float) -> int:
    return round((BEGUN.timestamp() + seconds) * 1000)


def at(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


# From 60 s on for a minute, then a pause of a minute, then another minute; and a second voice later.
FIRST = TimedRecording(7, (RecordedStretch(ms(60), 0, 60_000), RecordedStretch(ms(180), 60_000, 60_000)))
SECOND = TimedRecording(8, (RecordedStretch(ms(600), 0, 60_000),))


@pytest.mark.parametrize(
    ("moments", "place"),
    [
        ([75.5], (7, 15)),
        ([60.0], (7, 0)),
        ([190.0], (7, 70)),
        ([610.0], (8, 10)),
        # The page was open before the voice began, and drawn on while it was recorded.
        ([0.0, 90.0], (7, 30)),
        # In the pause of the recorder, before it, and after it.
        ([130.0, 10.0, 700.0], None),
        ([], None),
    ],
)
def test_the_first_moment_that_was_recorded(moments: list[float], place: tuple[int, int] | None) -> None:
    assert first_place([FIRST, SECOND], [at(seconds) for seconds in moments]) == place


def test_addresses_are_those_that_players_read() -> None:
    assert address_of("https://a.example/watch/{recording_id}", 7, 15) == "https://a.example/watch/7#t=15"
    assert address_of("https://a.example/#/rec/{recording_id}", 7, 15) == "https://a.example/#/rec/7&t=15"


def test_a_document_with_other_codes_is_another_one() -> None:
    assert with_addresses("d", {}) == "d"
    assert len({with_addresses("d", {}), with_addresses("d", {1: "a"}), with_addresses("d", {1: "b"})}) == 3
