"""The plain text of a caption: without tags, styles, and what is invisible or changes the direction of the rest."""

import html
import re
from collections.abc import Iterable

from worker.foreign_text import shown

# The name of who speaks; it becomes part of the text.
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]+)>")
# In WebVTT everything from "<" to ">" is a tag, of whatever name, or a time within the caption.
_TAG = re.compile(r"<[^<>]*>")
# In SRT only these are tags, and positions are written in braces.
_SRT_TAG = re.compile(r"</?(?:b|i|u|s|font|c|v|lang|ruby|rt)(?:[\s.=][^<>]*)?>|\{\\[^{}]*\}|\{/?[biu]\}", re.IGNORECASE)


def webvtt_text(lines: list[str]) -> str:
    """The text of a cue of WebVTT; character references are replaced by what they stand for."""
    return _clean(html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", line))) for line in lines)


def srt_text(lines: list[str]) -> str:
    """The text of a caption of SRT, in which "&" and other signs stand for themselves."""
    return _clean(_SRT_TAG.sub("", line) for line in lines)


def _clean(lines: Iterable[str]) -> str:
    visible = (" ".join(shown(line).split()) for line in lines)
    return "\n".join(line for line in visible if line)
