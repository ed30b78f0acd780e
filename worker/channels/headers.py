"""Encode and fold header fields so that every reader decodes the original (RFC 5322, RFC 2047, RFC 2231). Pure.

Python's own folding is not used: depending on the version it loses blanks between encoded words, encodes an address
in List-Unsubscribe as if it were text, and moves a Message-ID to a second line, where some servers do not find it.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

# RFC 5322 §2.1.1 asks for 78 characters; a line with an encoded word has at most 76 (RFC 2047 §2).
_LINE = 76
_WORD = 75
_PREFIX, _SUFFIX = "=?utf-8?b?", "?="
_FOLD = "\r\n "
# Text that needs no encoding, in words that fit into a line. Not `=?`, which would be decoded.
_PLAIN_TEXT = re.compile(r"[!-~]{1,60}( [!-~]{1,60})*", re.ASCII)
# Words of a display name (RFC 5322 §3.2.3): others would need quotes, which readers undo in different ways.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
# A line has at most 998 characters (RFC 5322 §2.1.1): this many four-octet ones fit, encoded, before an address.
_LONGEST_NAME = 120
# Characters that file systems refuse, and quotes and brackets, which readers strip from around a name.
_NO_FILE = re.compile(r"[\"<>/\\|:*?]")
_PLAIN_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,49}", re.ASCII)


class FoldedValue(str):
    """The value of a header field as it is sent: lines of ASCII, encoded and folded."""

    __slots__ = ()


def text_field(name: str, text: str) -> FoldedValue:
    """A field of words, like a subject. `text` is one line."""
    if _PLAIN_TEXT.fullmatch(text) and "=?" not in text:
        return FoldedValue(_fold(text.split(" "), len(name) + 2))
    return FoldedValue(_FOLD.join(_encoded(text, len(name) + 2)))


def mailbox_field(name: str, display_name: str, address: str) -> FoldedValue:
    """A field with one named address, like From. `display_name` is one line, possibly empty, cut to 120 characters.

    A name that needs encoding is one encoded word, although RFC 2047 permits only 75 characters: between two such words
    Python's parser inserts a blank, which others do not. All of them accept the long word.
    """
    display_name = display_name[:_LONGEST_NAME].rstrip()
    if not display_name:
        return FoldedValue(address)
    if _PLAIN_NAME.fullmatch(display_name) and "=?" not in display_name:
        words = display_name.split(" ")
    else:
        words = [_encoded_word(display_name.encode("utf-8", "replace"))]
    return FoldedValue(_fold([*words, f"<{address}>"], len(name) + 2))


def bracketed_field(text: str) -> FoldedValue:
    """A field with one value in angle brackets, which cannot be folded: a Message-ID or a URL."""
    return FoldedValue(f"<{text}>")


def attachment_field(filename: str) -> FoldedValue:
    """Content-Disposition of an attachment: the cleaned name, in RFC 2231's form unless it is plain ASCII."""
    filename = _NO_FILE.sub("_", filename)
    if _PLAIN_FILE.fullmatch(filename):
        return FoldedValue(f'attachment; filename="{filename}"')
    pieces = list(_percent_pieces(filename))
    if len(pieces) == 1:
        return FoldedValue(f"attachment;{_FOLD}filename*=utf-8''{pieces[0]}")
    pieces[0] = f"utf-8''{pieces[0]}"
    params = (f"filename*{number}*={piece}" for number, piece in enumerate(pieces))
    return FoldedValue(f"attachment;{_FOLD}{f';{_FOLD}'.join(params)}")


def _fold(words: Sequence[str], used: int) -> str:
    """Join words by blanks, and by folds where a line would be too long. `used`: characters before the first."""
    line = words[0]
    used += len(line)
    for word in words[1:]:
        fits = used + 1 + len(word) <= _LINE
        line += (" " if fits else _FOLD) + word
        used = used + 1 + len(word) if fits else 1 + len(word)
    return line


def _encoded(text: str, used: int) -> Iterator[str]:
    """Encoded words, each of whole characters; readers drop the white space between two of them (RFC 2047 §6.2)."""
    room = _room(_LINE - used)
    piece = b""
    for letter in text:
        octets = letter.encode("utf-8", "replace")
        if piece and len(piece) + len(octets) > room:
            yield _encoded_word(piece)
            piece, room = b"", _room(_WORD)
        piece += octets
    yield _encoded_word(piece)


def _room(characters: int) -> int:
    """How many octets fit into an encoded word of `characters` characters."""
    return (min(characters, _WORD) - len(_PREFIX) - len(_SUFFIX)) // 4 * 3


def _encoded_word(octets: bytes) -> str:
    return _PREFIX + base64.b64encode(octets).decode("ascii") + _SUFFIX


def _percent_pieces(text: str) -> Iterator[str]:
    """`text` percent-encoded, in pieces of whole characters that fit into lines of their own."""
    piece = ""
    for letter in text:
        octets = quote(letter.encode("utf-8", "replace"), safe="")
        if piece and len(piece) + len(octets) > 50:
            yield piece
            piece = ""
        piece += octets
    yield piece
