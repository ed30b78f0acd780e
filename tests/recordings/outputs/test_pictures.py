"""Names of pictures, and the cues of a storyboard."""

from worker.media.captions.cue import Cue
from worker.recordings.outputs.pictures import is_picture, sheet_name, storyboard_cues


def test_a_tile_is_shown_until_the_next_one_the_first_from_the_beginning_the_last_to_the_end() -> None:
    tiles = {"width": 160, "height": 90, "columns": 2}
    sheets = [
        ("https://b2/one.jpg?Authorization=a", {**tiles, "times_ms": [40, 2010, 4000]}),
        ("https://b2/two.jpg?Authorization=a", {**tiles, "times_ms": [6000]}),
    ]
    assert storyboard_cues(sheets, 7500) == [
        Cue(0, 2010, "https://b2/one.jpg?Authorization=a#xywh=0,0,160,90"),
        Cue(2010, 4000, "https://b2/one.jpg?Authorization=a#xywh=160,0,160,90"),
        Cue(4000, 6000, "https://b2/one.jpg?Authorization=a#xywh=0,90,160,90"),
        Cue(6000, 7500, "https://b2/two.jpg?Authorization=a#xywh=0,0,160,90"),
    ]
    assert storyboard_cues([], 7500) == []


def test_two_tiles_of_one_moment_are_one_cue() -> None:
    sheet = {"width": 2, "height": 2, "columns": 10, "times_ms": [0, 500, 500, 900]}
    cues = storyboard_cues([("s", sheet)], 800)
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(0, 500), (500, 900), (900, 901)]


def test_sheets_and_pictures_have_names_of_their_own() -> None:
    assert [sheet_name(number) for number in (1, 2, 10)] == ["storyboard", "storyboard-2", "storyboard-10"]
    pictures = ["storyboard", "storyboard-2", "preview", "poster-320", "poster-1280-webp", "activity"]
    assert all(is_picture(name) for name in pictures)
    assert not any(is_picture(name) for name in ("playback", "360p", "replay", "document", "poster", "source"))
