"""Rows compared with objects, as a table."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from worker.recordings.objects.object_faults import NamedObject, fault_of, orphan, pair_up
from worker.storage.objects import StoredObject

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def row(name: str) -> NamedObject:
    return NamedObject(12, "playback", name, "a" * 40, 100, NOW)


def stored(name: str) -> StoredObject:
    return StoredObject(name, "id", 100, "a" * 40, "video/webm", NOW)


@pytest.mark.parametrize(
    ("rows", "objects", "pairs"),
    [
        ([], [], []),
        (["a"], [], [("a", None)]),
        ([], ["a"], [(None, "a")]),
        (["a", "c"], ["a", "b", "c", "d"], [("a", "a"), (None, "b"), ("c", "c"), (None, "d")]),
        (["a", "b", "d"], ["b", "c"], [("a", None), ("b", "b"), (None, "c"), ("d", None)]),
        # By bytes: capitals and digits before small letters, and `ä` behind `z`.
        (
            ["session_10/", "session_1_/", "zä"],
            ["session_10/", "zz", "zä"],
            [
                ("session_10/", "session_10/"),
                ("session_1_/", None),
                (None, "zz"),
                ("zä", "zä"),
            ],
        ),
    ],
)
def test_each_name_comes_once(rows: list[str], objects: list[str], pairs: list[tuple[str | None, str | None]]) -> None:
    paired = pair_up(map(row, rows), map(stored, objects))
    assert [(left and left.name, right and right.name) for left, right in paired] == pairs


def test_what_is_wrong_with_an_object() -> None:
    as_it_should, other = stored("a"), "b" * 40
    assert fault_of(row("a"), as_it_should) is None
    assert fault_of(replace(row("a"), sha1=None, bytes=None), replace(as_it_should, size=1, sha1=None)) is None
    faults = [
        fault_of(row("a"), None),
        fault_of(row("a"), replace(as_it_should, size=99)),
        fault_of(row("a"), replace(as_it_should, sha1=other)),
        fault_of(row("a"), replace(as_it_should, sha1=None)),
        orphan(as_it_should, 12),
    ]
    assert [fault and fault.fault for fault in faults] == ["missing", "size", "sha1", "sha1", "orphan"]
    assert {fault and fault.recording_id for fault in faults} == {12}
