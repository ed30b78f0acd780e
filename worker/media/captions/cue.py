"""A caption, and the reasons why a caption or a whole file is rejected."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.errors import InvalidInput

# The problem document of a rejected file lists at most this many of its captions.
MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: when it is shown, in milliseconds of the recording, and its plain text, lines separated by "\\n".

    `settings` are its valid WebVTT cue settings, like `line:0 align:start`.
    """

    start_ms: int
    end_ms: int
    text: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class RejectedCue:
    """A caption that was left out: its line number in the file, from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Captions:
    """The captions of a file, ordered by start, and those that were left out."""

    cues: tuple[Cue, ...]
    rejected: tuple[RejectedCue, ...]


class CaptionsRejected(InvalidInput):
    """Nothing of the file can be used; the detail says why and what to do."""

    code, title = "captions-rejected", "The captions cannot be used"

    def __init__(self, detail: str, rejected: Sequence[RejectedCue] = ()) -> None:
        named = [{"line": cue.line, "reason": cue.reason} for cue in rejected[:MAX_NAMED]]
        super().__init__(detail, **({"left_out": named} if named else {}))
