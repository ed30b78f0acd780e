"""Classify a mail server's reply: is it about the recipient, this message, or us? Pure data and one function.

Only RECIPIENT_GONE may disable a channel, so it requires a reply that blames the recipient by its enhanced code
(RFC 3463, RFC 5248) or in words. Whatever is unclear is retried.
"""

import re
from enum import StrEnum
from typing import Literal

# The command that was replied to. `data` covers the replies to DATA and to the content.
Stage = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data"]


class MailFault(StrEnum):
    """What a refusal is about."""

    # No later attempt can succeed: no such mailbox, or it is closed.
    RECIPIENT_GONE = "recipient-gone"
    # Only this recipient cannot be reached now: mailbox full, greylisted, their domain does not answer.
    RECIPIENT_LATER = "recipient-later"
    # Another message would be accepted: this one is too large or malformed.
    MESSAGE = "message"
    # Our address, account, limit, reputation or configuration, or the server itself.
    OURS = "ours"


_GONE, _LATER, _MESSAGE, _OURS = MailFault

# At the beginning of a reply, or after a `#` as qmail writes it: `553 sorry, … (#5.7.1)`.
_ENHANCED = re.compile(r"(?:^\s*|#)([245])\.(\d{1,3})\.(\d{1,3})\b")
# Ignored, because addresses, host names and links may contain any word.
_NAMES = re.compile(r"<[^>]*>|\S*@\S+|https?://\S*|\b[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+\b|\[[^\]]*\]", re.ASCII)
# A line break within a reply; each line may repeat the code.
_LINE_END = re.compile(r"\s*\n\s*(?:[245]\.\d{1,3}\.\d{1,3}\s)?")

_WHO = "user|recipient|mailbox|address|account"
_CLOSED = "disabled|inactive|deactivated|discontinued|expired|closed"
# The first match decides. Words go before codes: servers write 5.2.1 of a blocked client and 5.4.1 of an unknown user.
_WORDS: tuple[tuple[MailFault, re.Pattern[str]], ...] = tuple(
    (fault, re.compile("|".join(phrases), re.IGNORECASE))
    for fault, phrases in (
        (
            _LATER,
            (
                r"gr[ae]y-?list",
                r"recipient thread limit",
                r"receiving mail (too quickly|at a rate)",
                r"(mailbox|inbox|account|recipient|user)\b[^.]* (is |are )?(full\b|over ?quota|out of storage)",
                r"(mailbox|account|user)\b[^.]* exceed(s|ed)? (its |the |their )?(storage|quota)",
                r"exceeded storage allocation|quota exceeded \(mailbox",
                r"not enough (storage )?space",
                # Groups and people who accept mail only from senders they know.
                r"(black|block)listed by (the )?recipient",
                r"SenderNotAuthenticatedForGroup",
                r"not (in|on) the (recipient|allowed)",
            ),
        ),
        (
            _OURS,
            (
                r"sender\b[^.]* (rejected|denied|refused|blocked|not (allowed|owned|permitted|verified|authori[sz]ed))",
                r"bad (outbound )?sender|sender domain|unauthori[sz]ed sender|invalid sender",
                r"not (allowed|permitted|authori[sz]ed|verified)\b[^.]* (send|sender|submit|relay|perform)",
                r"(client|your) (host|ip|server|address|access|network)\b",
                r"\bIP (address )?(is |was )?(black|block|listed|banned|not)",
                r"(send|sending|relay|submission|message|mail|hourly|daily|rate) (user )?(limit|quota|rate)\b",
                r"(limit|quota) (has been )?(reached|exceeded) for (your|this|customer|user|sender|tenant)",
                r"SubmissionQuotaExceeded|SendAsDenied|throttl",
                r"too many (messages|mails|emails|connections|recipients|invalid|errors|login)",
                r"\b(helo|ehlo)\b",
                r"\brelay(ing)?\b|rcpthosts|open relay",
                r"\blisted (at|on|by|in)\b|black ?list|block ?list|\bRBL\b|DNSBL|spamhaus|reputation",
                r"\bPTR\b|reverse dns|\bspam\b|unsolicited|\bSPF\b|\bDKIM\b|DMARC",
                r"authenticat|STARTTLS|TLS required|must issue|credentials|log ?in\b",
                r"banned|policy (reasons?|violation|restrictions?)|service (not available|unavailable)",
                r"suspended\b[^.]* (sending|account owner)|Email address is not verified",
            ),
        ),
        (
            _MESSAGE,
            (
                r"message\b[^.]* (too (big|large|long)|size|exceeds?|exceeded)",
                r"malformed|not RFC|illegal attachment|virus",
            ),
        ),
        (
            _GONE,
            (
                rf"(unknown|invalid|no such|non-?existent) (local )?({_WHO})",
                rf"({_WHO})\b[^.]* (unknown|does(n't| not) exist|not found|invalid\b|not known)",
                r"does(n't| not) have an?\b[^.]* account",
                r"mailbox (is )?(unavailable|disabled|inactive|not available|closed)",
                rf"({_WHO})\b[^.]* (is |has been )?({_CLOSED})",
                rf"({_CLOSED}) ({_WHO})",
                r"no (such )?mailbox( here)? by that name|not a (valid|known) (mailbox|user|recipient)",
                r"recipient not found|RecipNotFound|RecipientNotFound|unrouteable address|undeliverable address",
                # Exchange Online's edge, for users that are not in its directory.
                r"5\.4\.1 (recipient address|all recipient addresses) rejected ?: access denied",
            ),
        ),
    )
)

# By subject and detail of the enhanced code, when the words are silent; then by the subject alone.
_CODES: dict[tuple[int, int], MailFault] = {
    (1, 1): _GONE,  # bad destination mailbox address
    (1, 2): _GONE,  # bad destination system address
    (1, 3): _GONE,  # bad destination mailbox syntax
    (1, 6): _GONE,  # the mailbox has moved
    (1, 7): _OURS,  # bad sender's mailbox syntax
    (1, 8): _OURS,  # bad sender's system address
    (1, 10): _GONE,  # null MX (RFC 7505); Exchange: recipient not found
    (2, 1): _GONE,  # mailbox disabled
    (2, 3): _MESSAGE,  # longer than the mailbox takes
    (3, 4): _MESSAGE,  # larger than the system takes
    (4, 2): _OURS,  # bad connection
    (4, 3): _OURS,  # directory server failure
    (4, 5): _OURS,  # congestion; Gmail's daily limit
    (4, 310): _GONE,  # Exchange: the domain does not exist
    (7, 17): _GONE,  # the mailbox has another owner (RFC 7293)
    (7, 18): _GONE,  # the domain has another owner (RFC 7293)
}
_SUBJECTS: dict[int, MailFault] = {1: _LATER, 2: _LATER, 3: _OURS, 4: _LATER, 5: _OURS, 6: _MESSAGE, 7: _OURS}
# Replies to RCPT without an enhanced code (RFC 5321 §4.2.2, RFC 7504). Any other code is OURS.
_BARE_AT_RCPT: dict[int, MailFault] = {450: _LATER, 550: _LATER, 551: _LATER, 552: _LATER, 553: _LATER, 556: _GONE}
_CLOSING = 421


def read_fault(stage: Stage, code: int, text: str) -> MailFault:
    """Classify a refusal by `code` (400 to 599, or one that makes no sense at this stage) and `text`."""
    if stage not in ("rcpt", "data") or code == _CLOSING or not 400 <= code <= 599:
        return _OURS
    fault = _by_words(text) or _by_code(stage, code, text)
    return _LATER if fault is _GONE and code < 500 else fault


def enhanced_code(text: str) -> tuple[int, int, int] | None:
    """Class, subject and detail of the enhanced code of an answer (RFC 2034); None when it has none."""
    match = _ENHANCED.search(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _by_words(text: str) -> MailFault | None:
    words = _NAMES.sub(" ", _LINE_END.sub(" ", text))
    return next((fault for fault, phrases in _WORDS if phrases.search(words)), None)


def _by_code(stage: Stage, code: int, text: str) -> MailFault:
    enhanced = enhanced_code(text)
    if enhanced is None:
        return _BARE_AT_RCPT.get(code, _OURS) if stage == "rcpt" else _OURS
    _, subject, detail = enhanced
    return _CODES.get((subject, detail)) or _SUBJECTS.get(subject, _LATER if stage == "rcpt" else _OURS)
