"""Read an untrusted file of captions: WebVTT, or SRT in the dialects of the many programs that write it.

WebVTT (W3C) §4 and §6. Styles, regions and notes are left out; so is each invalid caption, with its reason.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from worker.media.captions.cue import Captions, CaptionsRejected, Cue, RejectedCue
from worker.media.captions.cue_text import srt_text, webvtt_text
from worker.media.captions.decode import decode
from worker.media.captions.timing import ARROW, Timing, read_timing

MAX_CUES = 20_000
# Two lines on a screen have less than a hundred letters; a paragraph still fits.
LONGEST_CUE = 1000

_HEADER = re.compile(r"WEBVTT(?:[ \t].*)?")
_NO_CUE = re.compile(r"(NOTE|STYLE|REGION)(?:[ \t].*)?")
_REASONS = {"NOTE": None, "STYLE": "styles are not kept", "REGION": "regions are not kept"}


@dataclass(frozen=True, slots=True)
class _Block:
    """A caption as it is in the file: the number and text of its timing line, and the lines after it."""

    number: int
    timing: str
    lines: list[str]


def read_captions(content: bytes, *, duration_ms: int | None) -> Captions:
    """The captions of a file for a recording of this length (None: unknown).

    A caption shown beyond the end is cut off there, or left out. Raises CaptionsRejected when none remains.
    """
    lines = decode(content).split("\n")
    is_webvtt = _HEADER.fullmatch(lines[0]) is not None
    if not is_webvtt and not any(ARROW in line for line in lines):
        raise CaptionsRejected(
            "The file is neither WebVTT, whose first line is `WEBVTT`, nor SRT. Save it in one of these forms."
        )
    cues: list[Cue] = []
    rejected: list[RejectedCue] = []
    for block in _blocks(lines, _end_of_block(lines, 0) if is_webvtt else 0, rejected):
        cue = _cue(block, duration_ms, is_webvtt=is_webvtt)
        if isinstance(cue, Cue):
            cues.append(cue)
        else:
            rejected.append(cue)
        if len(cues) + len(rejected) > MAX_CUES:
            raise CaptionsRejected(f"The file has more than {MAX_CUES} captions.")
    if not cues:
        raise CaptionsRejected("The file has no caption that can be shown; see `left_out`.", rejected)
    return Captions(_in_order(cues), tuple(sorted(rejected, key=lambda cue: cue.line)))


def _blocks(lines: list[str], start: int, rejected: list[RejectedCue]) -> Iterator[_Block]:
    """The captions of the file. Notes and numbers are skipped; styles and other text are added to `rejected`."""
    number = start
    while number < len(lines):
        end = _end_of_block(lines, number)
        if end == len(lines) or ARROW not in lines[end]:
            reason = _reason_of(lines[number:end])
            if reason is not None:
                rejected.append(RejectedCue(number + 1, reason))
            number = end + 1
            continue
        number = _end_of_text(lines, end + 1)
        yield _Block(end + 1, lines[end], lines[end + 1 : number])


def _reason_of(block: list[str]) -> str | None:
    """Why a block without times is left out; None for a note and for an empty block."""
    if not block:
        return None
    match = _NO_CUE.fullmatch(block[0])
    return _REASONS[match[1]] if match else "it has no times"


def _end_of_block(lines: list[str], start: int) -> int:
    """The index of the blank line, or of the timing line, that ends the block starting at `start`."""
    end = start
    while end < len(lines) and lines[end].strip() and ARROW not in lines[end]:
        end += 1
    return end


def _end_of_text(lines: list[str], start: int) -> int:
    """The index after a caption's text. If the blank line is missing, the next caption's number is not text."""
    end = _end_of_block(lines, start)
    if end < len(lines) and ARROW in lines[end] and end > start and lines[end - 1].strip().isdecimal():
        return end - 1
    return end


def _cue(block: _Block, duration_ms: int | None, *, is_webvtt: bool) -> Cue | RejectedCue:
    timing = read_timing(block.timing)
    if timing is None:
        return RejectedCue(block.number, "its times cannot be read")
    reason = _fault(timing, duration_ms)
    if reason is not None:
        return RejectedCue(block.number, reason)
    text = webvtt_text(block.lines) if is_webvtt else srt_text(block.lines)
    if not text:
        return RejectedCue(block.number, "it has no text")
    if len(text) > LONGEST_CUE:
        return RejectedCue(block.number, f"its text is longer than {LONGEST_CUE} characters")
    end = timing.end_ms if duration_ms is None else min(timing.end_ms, duration_ms)
    return Cue(timing.start_ms, end, text, timing.settings)


def _fault(timing: Timing, duration_ms: int | None) -> str | None:
    if timing.end_ms <= timing.start_ms:
        return "it ends before it begins"
    if duration_ms is not None and timing.start_ms >= duration_ms:
        return "it begins after the end of the recording"
    return None


def _in_order(cues: list[Cue]) -> tuple[Cue, ...]:
    """Ordered by start, as WebVTT requires, without duplicates. Captions may overlap: two people may speak."""
    return tuple(sorted(dict.fromkeys(cues), key=lambda cue: (cue.start_ms, cue.end_ms)))
