"""Write a WebVTT file. No text can end a caption, begin a tag, or be a style."""

from collections.abc import Iterable

from worker.media.captions.cue import Cue

_REFERENCES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_webvtt(cues: Iterable[Cue]) -> bytes:
    """The file in UTF-8; the texts have no empty lines."""
    return "\n".join(["WEBVTT\n", *map(_block, cues)]).encode()


def _block(cue: Cue) -> str:
    settings = f" {cue.settings}" if cue.settings else ""
    times = f"{_time(cue.start_ms)} --> {_time(cue.end_ms)}{settings}"
    return f"{times}\n{cue.text.translate(_REFERENCES)}\n"


def _time(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02}:{minute:02}:{second:02}.{fraction:03}"
