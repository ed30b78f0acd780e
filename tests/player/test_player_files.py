"""What the player knows of renditions: a video size that it does not name cannot be chosen."""

import re

import pytest

from worker.media.renditions.rendition_forms import PICTURES
from worker.player.player_files import LANGUAGES, player_file, words_of


def test_the_player_offers_every_video_size() -> None:
    offered = re.search(r"^const FILMS = \[(.*)\];$", player_file("scripts/modes.js"), re.MULTILINE)
    assert offered is not None
    assert sorted(re.findall(r"'([^']+)'", offered[1])) == sorted(PICTURES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_video_size_has_a_name_for_people(language: str) -> None:
    assert [name for name in PICTURES if not words_of(language).get(f"mode-{name}")] == []
