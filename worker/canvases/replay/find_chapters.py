"""Finds the chapters of a lesson on a board: where a page is turned, and where a title is typed. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from worker.canvases.replay.timeline import ReplayTimeline
from worker.canvases.replay.typed_texts import TypedText, typed_texts
from worker.foreign_text import clean

# No chapter is shorter, so that the list shows what was taught, not every page turn.
MIN_CHAPTER_MS = 30_000
LONGEST_TITLE = 200
# A longer line is a sentence.
_LONGEST_TYPED_TITLE = 80
_MIN_LETTERS = 3
# A title is at least this many times as large as the board's usual text.
_LARGER = 1.25
# Titles that the board's client gives to pages that nobody has named.
_UNNAMED = re.compile(r"(?:page|slide|ገጽ|ገፅ)?\s*\d*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundChapter:
    """A chapter that begins at `at`, in milliseconds of the replay."""

    at: int
    title: str


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A page that is shown from `begin` to `end`."""

    page: int
    begin: int
    end: int


def find_chapters(timeline: ReplayTimeline, duration_ms: int) -> tuple[FoundChapter, ...]:
    """The chapters of a lesson of this length, each of at least 30 seconds; none where there would be only one."""
    texts = [text for text in typed_texts(timeline, duration_ms) if timeline.page_at(text.at) == text.page]
    titles = _Titles(timeline, texts)
    chapters: list[FoundChapter] = []
    for stretch in _chosen(_stretches(timeline, duration_ms), duration_ms):
        chapters.append(FoundChapter(stretch.begin, titles.of_page(stretch)))
        for text in titles.within(stretch):
            if text.at - chapters[-1].at >= MIN_CHAPTER_MS:
                chapters.append(FoundChapter(text.at, _title(text)))
    return tuple(chapters) if len(chapters) > 1 else ()


def _stretches(timeline: ReplayTimeline, duration_ms: int) -> list[_Stretch]:
    turns = [turn for turn in timeline.turns if turn.at < duration_ms]
    ends = [*(turn.at for turn in turns[1:]), duration_ms]
    return [_Stretch(turn.page, turn.at, end) for turn, end in zip(turns, ends, strict=True) if end > turn.at]


def _chosen(stretches: Sequence[_Stretch], duration_ms: int) -> list[_Stretch]:
    """The stretches that become chapters, each extended to the beginning of the next.

    Stretches of at least 30 seconds are always chosen. A shorter one is chosen only if it begins 30 seconds after the
    chapter before it and before the next long stretch: a page that is only flipped past is no chapter.
    """
    chosen: list[_Stretch] = []
    for index, stretch in enumerate(stretches):
        if stretch.end - stretch.begin < MIN_CHAPTER_MS:
            after = (other.begin for other in stretches[index + 1 :] if other.end - other.begin >= MIN_CHAPTER_MS)
            if next(after, duration_ms) - stretch.begin < MIN_CHAPTER_MS:
                continue
            if chosen and stretch.begin - chosen[-1].begin < MIN_CHAPTER_MS:
                continue
        if not chosen or chosen[-1].page != stretch.page:
            chosen.append(stretch)
    ends = [*(after.begin for _before, after in pairwise(chosen)), duration_ms]
    return [_Stretch(stretch.page, stretch.begin, end) for stretch, end in zip(chosen, ends, strict=False)]


class _Titles:
    """The titles of pages, and which of the typed texts are titles."""

    def __init__(self, timeline: ReplayTimeline, texts: Sequence[TypedText]) -> None:
        self._pages = timeline.pages
        self._texts = [text for text in texts if _may_be_title(text)]
        sizes = sorted(text.size for text in texts)
        # The lower quartile: a board may have more titles than other texts.
        usual = sizes[len(sizes) // 4] if sizes else 0.0
        self._headings = [text for text in self._texts if text.is_marked or text.size >= usual * _LARGER]

    def of_page(self, stretch: _Stretch) -> str:
        """The page's own title, else the first title typed on it by the end of 30 seconds, else its number."""
        page = self._pages[stretch.page]
        if not _UNNAMED.fullmatch(page.title.strip()):
            return clean(page.title, LONGEST_TITLE, defang=False) or f"Page {page.number}"
        for texts in (self._headings, self._texts):
            until = stretch.begin + MIN_CHAPTER_MS
            first = next((text for text in texts if text.page == stretch.page and text.at < until), None)
            if first is not None:
                return _title(first)
        return f"Page {page.number}"

    def within(self, stretch: _Stretch) -> list[TypedText]:
        """The headings that are typed later on this page, not in its last 30 seconds."""
        first, last = stretch.begin + MIN_CHAPTER_MS, stretch.end - MIN_CHAPTER_MS
        return [text for text in self._headings if text.page == stretch.page and first <= text.at <= last]


def _may_be_title(text: TypedText) -> bool:
    is_line = "\n" not in text.text and len(text.text) <= _LONGEST_TYPED_TITLE
    return is_line and sum(map(str.isalpha, text.text)) >= _MIN_LETTERS


def _title(text: TypedText) -> str:
    return clean(text.text, LONGEST_TITLE, defang=False)
