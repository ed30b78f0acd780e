"""Parse mail addresses that denote one mailbox on the Internet (RFC 5321 §4.1.2, without its rare forms)."""

import re
import unicodedata

import idna

from worker.errors import InvalidInput

_LONGEST = 254
_LONGEST_LOCAL = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*", re.ASCII)
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
# At least two labels: `root@localhost` is the mail server itself. The last is no number, which excludes IP addresses.
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?!\d+$){_LABEL}", re.ASCII)


# Invisible characters that surround a copied address.
_UNSEEN = "\ufeff\u200b\u200c\u200d\u2060\u200e\u200f\u202a\u202c\u202d\u2066\u2068\u2069"


def trimmed(text: str) -> str:
    """`text` without white space and invisible characters around it. `read_mailbox` refuses those inside."""
    before = None
    while text != before:
        before, text = text, text.strip().strip(_UNSEEN)
    return text


def is_same_mailbox(address: str, other: str) -> bool:
    """Whether two checked addresses mean one mailbox. RFC 5321 permits case-sensitive names; no provider has them."""
    return address.lower() == other.lower()


def read_mailbox(text: str) -> str:
    """Parse `text` as a mail address; the domain becomes lower-case ASCII (IDNA 2008). Raises InvalidInput.

    Quoted local parts, comments, domain literals, display names and more than one address are refused, and so are
    local parts outside ASCII, which most mail servers refuse (SMTPUTF8, RFC 6531).
    """
    local, at, domain = text.rpartition("@")
    if at and not local.isascii():
        raise InvalidInput("Before its `@` a mail address has only ASCII letters here; use another address of yours.")
    domain = _in_ascii(domain).lower()
    address = f"{local}@{domain}"
    fits = len(address) <= _LONGEST and len(local) <= _LONGEST_LOCAL
    if not (at and fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise InvalidInput("This is not a mail address like `name@example.com`.")
    return address


def _in_ascii(domain: str) -> str:
    """Encode by IDNA 2008. Python's codec is IDNA 2003, which turns `faß.de` into `fass.de`, another domain."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(unicodedata.normalize("NFC", domain.lower())).decode("ascii")
    except UnicodeError:
        return ""
