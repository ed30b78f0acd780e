"""A message as every channel gets it: what is said, rendered already, and the key that makes it known again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.foreign_text import shown

# A receiver signs and compares it as `id.timestamp.body`, and mail puts it before an `@`.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Longer than any subject that we make.
_LONGEST_LINE = 1000


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail; `media_type` like `text/calendar`."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """One message. `data` is what machines read, JSON; `id` is the same whenever the same message is sent again."""

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
    """`text` without halves of characters (they come from JSON escapes), which UTF-8 has no bytes for."""
    return text.encode("utf-8", "replace").decode("utf-8")
