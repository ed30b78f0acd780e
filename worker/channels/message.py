"""A rendered message, the same for all channels, with an id by which receivers recognise duplicates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.foreign_text import shown

# It is part of the signed text `id.timestamp.body` of a webhook, and stands before the `@` of a Message-ID.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Longer than any subject that we make.
_LONGEST_LINE = 1000


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail; `media_type` like `text/calendar`, with these `parameters`."""

    name: str
    media_type: str
    content: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One message. `data` is its machine-readable form, as JSON; `id` stays the same when it is sent again."""

    kind: str
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError("A message's id is 1 to 64 letters, digits, hyphens and underscores.")


def one_line(text: str) -> str:
    """`text` as one line without control and direction characters, at most 1000 characters: fit for a header."""
    return " ".join(shown(text).split())[:_LONGEST_LINE].rstrip()


def encodable(text: str) -> str:
    """`text` with `?` for each lone surrogate (they come from JSON escapes), which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")
