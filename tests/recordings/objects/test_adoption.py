"""What the names of objects say, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from worker.recordings.objects.adoption import plan_adoption
from worker.storage.objects import StoredObject

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PREFIX = "videos/whiteboard/session_3/recording_7/"
OLD, NEW = "a" * 12, "b" * 12


def stored(name: str, *, age: int = 0, sha1: str | None = "c" * 40) -> StoredObject:
    return StoredObject(PREFIX + name, "id", 100, sha1, "video/webm", NOW - timedelta(hours=age))


@pytest.mark.parametrize(
    ("objects", "chosen"),
    [
        ([stored(f"{NEW}/play/playback.webm"), stored(f"{NEW}/source.webm")], f"{NEW}/source.webm"),
        ([stored(f"{NEW}/play/playback-repaired.mp4")], f"{NEW}/play/playback-repaired.mp4"),
        # The bytes of a recording were extended: the latest count.
        ([stored(f"{OLD}/source.webm", age=2), stored(f"{NEW}/play/playback.webm")], f"{NEW}/play/playback.webm"),
        ([stored(f"{NEW}/play/poster.jpg"), stored(f"{NEW}/play/audio.{OLD}.webm")], None),
        ([stored(f"{NEW}/source.webm", sha1=None)], None),
        ([stored("0123/play/playback.webm")], None),
        ([], None),
    ],
)
def test_which_bytes_make_the_recording_again(objects: list[StoredObject], chosen: str | None) -> None:
    plan = plan_adoption(objects)
    assert (plan and plan.object_name) == (chosen and PREFIX + chosen)


def test_what_the_plan_knows() -> None:
    plan = plan_adoption([stored(f"{NEW}/source.webm"), stored(f"{NEW}/play/poster.jpg", age=1)])
    assert plan is not None
    assert (plan.recording_id, plan.session_id, plan.sha1, plan.size) == (7, 3, "c" * 40, 100)
    assert (plan.uploaded_at, plan.objects, plan.is_source) == (NOW - timedelta(hours=1), 2, True)


@pytest.mark.parametrize("prefix", ["session_99999999999/recording_7/", "session_3/recording_4294967296/"])
def test_an_id_that_no_row_can_have_is_no_plan(prefix: str) -> None:
    name = f"videos/whiteboard/{prefix}{NEW}/source.webm"
    assert plan_adoption([StoredObject(name, "id", 1, "c" * 40, "video/webm", NOW)]) is None
