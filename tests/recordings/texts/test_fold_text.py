"""Text folded for search: what becomes equal, and what stays different."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.recordings.texts.fold_text import contains, fold_text

# Rows of the Unicode chart: the first letters of the families of one sound.
SAME = ((0x1200, 0x1210), (0x1200, 0x1280), (0x1200, 0x12B8), (0x1230, 0x1220), (0x12A0, 0x12D0), (0x1338, 0x1340))


@pytest.mark.parametrize("order", range(7))
@pytest.mark.parametrize(("first", "other"), SAME)
def test_letters_of_one_sound_are_equal_in_all_seven_orders(first: int, other: int, order: int) -> None:
    assert fold_text(chr(first + order)) == fold_text(chr(other + order)) != ""


def test_letters_of_different_sounds_stay_different() -> None:
    firsts = (0x1200, 0x1230, 0x12A0, 0x1338)
    assert len({fold_text(chr(first + order)) for first in firsts for order in range(7)}) == 4 * 7 - 2
    # Neither the sounds of other letters: for example those of ሸ, ቸ and ጠ.
    assert len({fold_text(chr(code)) for code in range(0x1238, 0x123F)}) == 7


@pytest.mark.parametrize(
    ("text", "spellings"),
    [
        ("sun", ("ፀሐይ", "ጸሐይ", "ፀሃይ", "ጸሀይ")),
        ("world", ("ዓለም", "አለም", "ኣለም", "ዐለም")),
        ("work", ("ሥራ", "ስራ")),
        ("force", ("ኃይል", "ሀይል", "ሃይል", "ሓይል")),
        ("Gondar", ("ጎንደር", "ጐንደር")),
        ("number", ("ቁጥር", "ቍጥር")),
        ("matter", ("ጉዳይ", "ጕዳይ")),
        ("kidney", ("ኩላሊት", "ኵላሊት")),
        ("numbering", ("ሁልቁ", "ኍልቍ", "ዅልቁ")),
        ("greeting", ("ሰላም ተማሪዎች", "ሠላም፡ተማሪዎች።", " ሰላም\nተማሪዎች!")),
        ("accents", ("Café", "CAFE\u0301", "cafe")),
        ("case", ("Straße", "STRASSE")),
        ("formula", ("x² + 1", "X2+ 1".replace("+", " + "))),
        ("forms", ("ﬁne", "fine")),
        ("gemination", ("አለ\u135f", "አለ")),
        ("invisible", ("a\u200db\u202e", "ab")),
    ],
)
def test_spellings_of_the_same_are_equal(text: str, spellings: tuple[str, ...]) -> None:
    assert len({fold_text(spelling) for spelling in spellings}) == 1, text


def test_words_are_found_in_any_order_and_within_longer_ones() -> None:
    folded = fold_text("የፀሐይ ብርሃን፣ ኃይል")
    assert contains(folded, fold_text("ሀይል ጸሃይ").split())
    assert not contains(folded, fold_text("ሀይል ጨረቃ").split())


@given(st.text())
def test_what_is_folded_stays(text: str) -> None:
    folded = fold_text(text)
    assert fold_text(folded) == folded
    assert folded == " ".join(folded.split())
