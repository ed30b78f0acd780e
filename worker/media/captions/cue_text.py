"""The plain text of a caption, without tags, styles, and invisible or direction-changing characters."""

import html
import re
from collections.abc import Iterable

from worker.foreign_text import shown

# The speaker's name; it becomes part of the text. It may begin with blanks: if they were matched apart from it, a line
# of a million blanks would be tried in as many ways.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]([^<>]+)>")
# No character has such a number. Python refuses to read one of more than 4300 digits.
_NO_CHARACTER = re.compile(r"&#\d{8,};?", re.ASCII)
# In WebVTT everything from "<" to ">" is a tag, whatever its name, or a timestamp within the caption.
_TAG = re.compile(r"<[^<>]*>")
# In SRT only these are tags, and positions are written in braces.
_SRT_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v|lang|ruby|rt)(?:[\s.=][^<>]*)?>|\{\\[^{}]*\}|\{/?[biu]\}", re.IGNORECASE)


def webvtt_text(lines: list[str]) -> str:
    """The text of a WebVTT cue; character references are resolved."""
    untagged = (_TAG.sub("", _VOICE.sub(r"\1: ", line)) for line in lines)
    return _clean(html.unescape(_NO_CHARACTER.sub("\ufffd", line)) for line in untagged)


def srt_text(lines: list[str]) -> str:
    """The text of an SRT caption, in which "&" and other signs are literal."""
    return _clean(_SRT_TAG.sub("", line) for line in lines)


def _clean(lines: Iterable[str]) -> str:
    visible = (" ".join(shown(line).split()) for line in lines)
    return "\n".join(line for line in visible if line)
