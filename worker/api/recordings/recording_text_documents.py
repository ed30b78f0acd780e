"""Request and response documents of the chapters and captions of recordings."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, Field, model_validator

from worker.api.http.fields import AsJson, Body, Document, Words
from worker.foreign_text import clean

# A day: longer than any recording may be.
_LONGEST_MS = 86_400_000
MAX_CHAPTERS = 500
LONGEST_TITLE = 200

# Lower and upper case as BCP 47 recommends: each language has one address. Script and region may follow.
Language = Annotated[
    str, Path(pattern="^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$", examples=["am", "om", "ti", "en-GB"])
]
SearchQuery = Annotated[Words, Query(min_length=1, max_length=200)]
Milliseconds = Annotated[int, Field(strict=True, ge=0, le=_LONGEST_MS), AsJson]


def _one_line(title: str) -> str:
    line = clean(title, LONGEST_TITLE, defang=False)
    if not line:
        raise ValueError("must have a letter that can be seen")
    return line


class ChapterBody(Body):
    """A chapter as the tutor writes it."""

    start_ms: Milliseconds
    title: Annotated[Words, Field(min_length=1, max_length=LONGEST_TITLE, pattern=r"\S"), AfterValidator(_one_line)]


class ChaptersBody(Body):
    """All chapters of a recording, in any order; none at all is possible."""

    chapters: Annotated[list[ChapterBody], Field(max_length=MAX_CHAPTERS, fail_fast=True)]

    @model_validator(mode="after")
    def _distinct(self) -> "ChaptersBody":
        if len({chapter.start_ms for chapter in self.chapters}) < len(self.chapters):
            raise ValueError("two chapters begin at the same time")
        return self


class ChapterDocument(Document):
    """A chapter; it ends where the next one begins."""

    start_ms: int
    title: str


class ChaptersDocument(Document):
    """The chapters in their order; `origin` says who wrote them, and is null where there are none."""

    origin: Literal["automatic", "tutor"] | None
    chapters: list[ChapterDocument]


class MatchDocument(Document):
    """A place of the recording that has all words of the query."""

    kind: Literal["caption", "chapter", "board"]
    start_ms: int
    text: str
    # Of a caption.
    language: str | None


class MatchesDocument(Document):
    """The matches in the order of their times, 200 at most; `total` is how many there are."""

    items: list[MatchDocument]
    total: int


class CaptionTrackDocument(Document):
    """The captions of a recording in one language."""

    language: str
    count: int
    bytes: int
    updated_at: datetime


class LeftOutDocument(Document):
    """A part of the file that was not kept."""

    line: int
    reason: str


class StoredCaptions(CaptionTrackDocument):
    """The captions that were stored, and the first twenty parts of the file that were not."""

    left_out: list[LeftOutDocument]
    left_out_count: int


class CueDocument(Document):
    """A caption: plain text, its lines separated by line feeds."""

    start_ms: int
    end_ms: int
    text: str


class CaptionsDocument(CaptionTrackDocument):
    """The captions of a recording in one language, in the order of their starts."""

    cues: list[CueDocument]
