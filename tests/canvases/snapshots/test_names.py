"""Names of pictures in B2."""

import pytest

from models.states import SNAPSHOT_NAMES
from worker.canvases.snapshots.names import (
    BOARD_FORMS,
    PAGE_FORMS,
    SnapshotTarget,
    shared_folder,
    snapshot_prefix,
    target_of,
)

DIGEST = "0123456789abcdef" * 4


def test_every_stored_name_has_a_form_and_a_file_of_its_own() -> None:
    forms = {**PAGE_FORMS, **BOARD_FORMS}
    assert tuple(forms) == SNAPSHOT_NAMES
    assert len({form.file for form in forms.values()}) == len(forms)


@pytest.mark.parametrize("place", [SnapshotTarget(5, 12), SnapshotTarget(5, None)])
def test_a_name_tells_whose_it_is(place: SnapshotTarget) -> None:
    for form in (*PAGE_FORMS.values(), *BOARD_FORMS.values()):
        assert target_of(f"{snapshot_prefix(place, DIGEST)}{form.file}") == place


@pytest.mark.parametrize(
    "name",
    [
        "snapshots/whiteboard/notes.txt",
        "snapshots/whiteboard/session_5/page_1/page.png",
        "snapshots/whiteboard/session_5/page_1/0123/more/page.png",
        "snapshots/whiteboard/session_x/page_1/0123/page.png",
        "snapshots/whiteboard/session_5/page_/0123/page.png",
        "snapshots/whiteboard/session_5/page_-1/0123/page.png",
        "snapshots/whiteboard/session_5/page_٣/0123/page.png",
        f"snapshots/whiteboard/session_5/page_{10**30}/0123/page.png",
        "snapshots/whiteboard/session_5/other/0123/page.png",
        "videos/whiteboard/session_5/page_1/0123/page.png",
    ],
)
def test_names_that_are_not_of_our_making(name: str) -> None:
    assert target_of(name) is None


def test_one_session_or_page_does_not_cover_another() -> None:
    assert not SnapshotTarget(10, 12).prefix.startswith(SnapshotTarget(1, 12).prefix)
    assert not SnapshotTarget(5, 12).prefix.startswith(SnapshotTarget(5, 1).prefix)


def test_the_folder_that_files_share() -> None:
    page, board = snapshot_prefix(SnapshotTarget(5, 12), DIGEST), snapshot_prefix(SnapshotTarget(5, None), DIGEST)
    assert shared_folder([f"{page}page.png", f"{page}page@2x.png"]) == page
    assert shared_folder([f"{page}page.png"]) == page
    assert shared_folder([f"{page}page.png", f"{board}board.pdf"]) == "snapshots/whiteboard/session_5/"
    # Folders, not letters: pages 1 and 12 share the session's.
    other = snapshot_prefix(SnapshotTarget(5, 1), DIGEST)
    assert shared_folder([f"{page}page.png", f"{other}page.png"]) == "snapshots/whiteboard/session_5/"
