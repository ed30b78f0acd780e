"""Decode a caption file: UTF-8, or UTF-16 with a byte order mark as some editors on Windows write it."""

import codecs

from worker.media.captions.cue import CaptionsRejected

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# A UTF-32 LE mark begins with that of UTF-16 LE.
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def decode(content: bytes) -> str:
    """The text without its byte order mark, every line end as "\\n". Raises CaptionsRejected."""
    mark, encoding = next(((mark, name) for mark, name in _MARKS if content.startswith(mark)), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text() from error
    if content.startswith(_UTF32) or "\0" in text:
        raise _not_text()
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_text() -> CaptionsRejected:
    return CaptionsRejected(
        "The file is not text in UTF-8. Open it in the program that made it, save it with the encoding UTF-8, and send "
        "it again."
    )
