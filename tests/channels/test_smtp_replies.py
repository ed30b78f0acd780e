"""How replies of mail servers are classified: replies of real servers, with their sources.

Sources: `gmail` Google's list of Gmail SMTP errors; `exo` Microsoft's lists of Exchange Online errors; `postfix` the
source of Postfix' smtpd; `zone-mta` the bounce rules of ZoneMTA; `sisimai` the collected answers of Sisimai;
`exim`, `qmail`, `sendmail`, `ses` those programs' and Amazon's own texts; `rfc` RFC 5321, 3463, 5248, 7504, 7505, 7293.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.channels.smtp_replies import MailFault, Stage, enhanced_code, read_fault

GONE, LATER, MESSAGE, OURS = MailFault

# Stage, answer, whose trouble, source.
ANSWERS: list[tuple[Stage, str, MailFault, str]] = [
    # The recipient is gone.
    (
        "rcpt",
        (
            "550 5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "5.1.1 double-checking the recipient's email address for typos or\n"
            "5.1.1 unnecessary spaces. For more information, go to\n"
            "5.1.1  https://support.google.com/mail/?p=NoSuchUser a1-20si - gsmtp"
        ),
        GONE,
        "gmail",
    ),
    ("rcpt", "550 5.2.1 The email account that you tried to reach is disabled.", GONE, "gmail"),
    ("rcpt", "550 5.2.1 The email account that you tried to reach is inactive.", GONE, "gmail"),
    ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", GONE, "exo"),
    ("data", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", GONE, "exo"),
    ("rcpt", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB5EUR01.prod]", GONE, "exo"),
    ("rcpt", "550 5.4.1 All recipient addresses rejected : Access denied", GONE, "exo"),
    ("rcpt", "550 5.4.310 DNS domain example.invalid does not exist", GONE, "exo"),
    ("rcpt", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", GONE, "exo"),
    (
        "rcpt",
        "550 5.1.1 <abebe@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        GONE,
        "postfix",
    ),
    (
        "rcpt",
        "550 5.1.1 <spam@relay.example>: Recipient address rejected: User unknown in local recipient table",
        GONE,
        "postfix",
    ),
    ("rcpt", "550 5.1.2 <a@example.com>: Recipient address rejected: Domain not found", GONE, "postfix"),
    (
        "rcpt",
        "556 5.1.10 <a@example.com>: Recipient address rejected: Domain example.com does not accept mail (nullMX)",
        GONE,
        "postfix",
    ),
    ("rcpt", "501 5.1.3 Bad recipient address syntax", GONE, "postfix"),
    ("rcpt", "550 5.1.1 User unknown", GONE, "sendmail"),
    ("rcpt", "550 5.1.1 <abebe@example.com>... User unknown", GONE, "sendmail"),
    ("rcpt", "550 No Such User Here", GONE, "exim"),
    ("rcpt", "550 Unrouteable address", GONE, "exim"),
    ("rcpt", "550 sorry, no mailbox here by that name. (#5.1.1)", GONE, "qmail"),
    ("rcpt", "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]", GONE, "zone-mta"),
    ("data", "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]", GONE, "zone-mta"),
    ("rcpt", "550 5.2.1 <a@hot.ee> is expired account", GONE, "zone-mta"),
    ("rcpt", "554 5.2.1 Inactive user", GONE, "zone-mta"),
    ("rcpt", "554 5.7.1 Unknown recipient", GONE, "zone-mta"),
    ("rcpt", "554 Invalid mailbox", GONE, "zone-mta"),
    ("rcpt", "550 Requested action not taken: mailbox unavailable", GONE, "rfc"),
    ("rcpt", "556 Domain does not accept mail", GONE, "rfc"),
    ("rcpt", "550 5.7.17 Mailbox owner has changed", GONE, "rfc"),
    ("rcpt", "553 5.1.3 mailbox syntax", GONE, "rfc"),
    # The recipient cannot be reached now.
    ("rcpt", "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", LATER, "gmail"),
    (
        "rcpt",
        (
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that\n"
            "5.2.1 prevents additional messages from being delivered."
        ),
        LATER,
        "gmail",
    ),
    ("rcpt", "452 4.2.2 The recipient's inbox is out of storage space.", LATER, "gmail"),
    ("rcpt", "552 5.2.2 The email account that you tried to reach is over quota.", LATER, "gmail"),
    ("data", "552 5.2.2 The recipient's inbox is out of storage space and inactive.", LATER, "gmail"),
    ("rcpt", "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", LATER, "exo"),
    ("data", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", LATER, "exo"),
    ("rcpt", "550 5.2.2 <a@example.com>: Quota exceeded (mailbox for user is full)", LATER, "sisimai"),
    (
        "rcpt",
        "450 4.2.0 <a@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/",
        LATER,
        "sisimai",
    ),
    ("rcpt", "451 4.7.1 Greylisting in action, please come back later", LATER, "sisimai"),
    ("rcpt", "550 5.7.1 Blacklisted by recipient", LATER, "zone-mta"),
    ("rcpt", "552 5.2.2 Mailbox is full", LATER, "zone-mta"),
    ("rcpt", "450 4.1.2 <a@example.com>: Recipient address rejected: Domain not found", LATER, "postfix"),
    ("rcpt", "450 4.1.1 <a@example.com>: Recipient address rejected: unverified address", LATER, "postfix"),
    ("rcpt", "450 4.2.1 mailbox busy", LATER, "rfc"),
    ("rcpt", "450 Requested mail action not taken: mailbox unavailable", LATER, "rfc"),
    ("rcpt", "552 Requested mail action aborted: exceeded storage allocation", LATER, "rfc"),
    ("rcpt", "451 4.4.1 no answer from host", LATER, "rfc"),
    # Nobody can know what this is about: the channel stays.
    ("rcpt", "550 5.1.0 Address rejected.", LATER, "sisimai"),
    ("rcpt", "550 no", LATER, "rfc"),
    ("rcpt", "553 Requested action not taken", LATER, "rfc"),
    # This message.
    ("data", "552 5.3.4 Your message exceeded Google's message size limits.", MESSAGE, "gmail"),
    ("data", "552 5.2.3 Your message exceeded Google's message size limits.", MESSAGE, "gmail"),
    ("data", "554 5.6.0 Mail message is malformed. Not accepted.", MESSAGE, "gmail"),
    ("data", "552 5.3.4 Message size exceeds fixed limit", MESSAGE, "postfix"),
    ("data", "550 5.7.512 Access denied, message must be RFC 5322 compliant; not RFC", MESSAGE, "zone-mta"),
    # Ours: limits.
    ("rcpt", "550 5.4.5 Daily sending limit exceeded", OURS, "gmail"),
    ("rcpt", "550 5.4.5 Daily user sending limit exceeded.", OURS, "gmail"),
    ("data", "550 5.4.5 Daily user sending quota exceeded. a1-20si - gsmtp", OURS, "gmail"),
    ("rcpt", "550 5.7.1 Daily SMTP relay limit exceeded for customer.", OURS, "gmail"),
    ("rcpt", "450 4.2.1 Peak SMTP relay limit exceeded for customer. This is a temporary error.", OURS, "gmail"),
    ("data", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", OURS, "exo"),
    (
        "rcpt",
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        OURS,
        "exo",
    ),
    ("rcpt", "554 5.7.705 Access denied, tenant has exceeded threshold", OURS, "exo"),
    ("data", "454 Throttling failure: Maximum sending rate exceeded.", OURS, "ses"),
    ("data", "454 Throttling failure: Daily message quota exceeded.", OURS, "ses"),
    ("rcpt", "452 4.5.3 Error: too many recipients", OURS, "postfix"),
    # Ours: the address that mail comes from.
    ("rcpt", "550 5.1.8 Sender address rejected", OURS, "postfix"),
    ("rcpt", "550 5.1.8 Access denied, bad outbound sender AS(42004)", OURS, "exo"),
    ("mail", "553 5.1.7 The sender address a@b is not a valid RFC 5321 address.", OURS, "gmail"),
    ("rcpt", "450 4.1.8 <no-reply@astegni.example>: Sender address rejected: Domain not found", OURS, "postfix"),
    ("rcpt", "553 5.7.1 <no-reply@astegni.example>: Sender address rejected: not owned by user x", OURS, "postfix"),
    ("rcpt", "550 5.1.0 Sender denied", OURS, "exo"),
    ("data", "554 5.2.252 SendAsDenied; not allowed to send as no-reply@astegni.example", OURS, "exo"),
    ("data", "554 Message rejected: Email address is not verified.", OURS, "ses"),
    # Ours: the host that sends, and what is thought of it.
    ("rcpt", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", OURS, "postfix"),
    ("rcpt", "504 5.5.2", OURS, "rfc"),
    ("rcpt", "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", OURS, "postfix"),
    ("rcpt", "554 <unknown[192.0.2.1]>: Client host rejected: Access denied", OURS, "postfix"),
    ("rcpt", "554 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", OURS, "zone-mta"),
    (
        "rcpt",
        "550 5.2.1 Mailbox unavailable. Your IP address 192.0.2.1 is blacklisted using SPAMHAUS.",
        OURS,
        "zone-mta",
    ),
    (
        "rcpt",
        (
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service "
            "provider since part of their network is on our block list (S3150)."
        ),
        OURS,
        "zone-mta",
    ),
    ("rcpt", "550 Rejected: 192.0.2.1 is listed at work.drbl.example.net", OURS, "zone-mta"),
    ("rcpt", "554 5.5.4 Your IP 192.0.2.1 address has a bad reputation.", OURS, "zone-mta"),
    ("rcpt", "550 5.7.606 Access denied, banned sending IP [192.0.2.1].", OURS, "exo"),
    ("connect", "554 mx.example.com ESMTP no SMTP service here", OURS, "rfc"),
    ("connect", "521 Host does not accept mail", OURS, "rfc"),
    ("connect", "421 4.7.0 Try again later, closing connection.", OURS, "gmail"),
    ("rcpt", "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.", OURS, "gmail"),
    (
        "data",
        "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.",
        OURS,
        "gmail",
    ),
    (
        "data",
        "550 5.7.26 This message does not have authentication information or fails to pass authentication checks",
        OURS,
        "gmail",
    ),
    ("data", "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", OURS, "gmail"),
    ("data", "550 spam message rejected", OURS, "zone-mta"),
    ("data", "554 5.7.1 Spam message rejected", OURS, "zone-mta"),
    # Ours: what we may do there.
    ("rcpt", "554 5.7.1 <a@example.com>: Relay access denied", OURS, "postfix"),
    ("rcpt", "550 5.7.64 TenantAttribution; Relay Access Denied", OURS, "exo"),
    ("rcpt", "550 relay not permitted", OURS, "exim"),
    ("rcpt", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", OURS, "qmail"),
    ("ehlo", "501 5.5.4 HELO/EHLO argument is invalid.", OURS, "gmail"),
    ("auth", "535 5.7.8 Username and Password not accepted.", OURS, "gmail"),
    ("auth", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled.", OURS, "exo"),
    ("auth", "525 5.7.13 User account disabled", OURS, "rfc"),
    ("mail", "530 5.7.0 Must issue a STARTTLS command first.", OURS, "gmail"),
    ("mail", "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", OURS, "exo"),
    ("rcpt", "530 5.7.0 Authentication Required.", OURS, "gmail"),
    ("mail", "550 5.7.0 Mail relay denied <192.0.2.1>. Invalid credentials for relay", OURS, "gmail"),
    ("rcpt", "503 5.5.1 Bad sequence of commands", OURS, "rfc"),
    ("data", "554 5.5.1 Error: no valid recipients", OURS, "postfix"),
    # Ours: the server's own trouble.
    ("rcpt", "451 4.3.0 Mail server temporarily rejected message.", OURS, "gmail"),
    ("rcpt", "451 4.3.5 Server configuration problem", OURS, "postfix"),
    ("data", "452 4.3.1 Insufficient system storage", OURS, "postfix"),
    ("data", "451 4.3.0 Error: queue file write error", OURS, "postfix"),
    ("rcpt", "451 Requested action aborted: local error in processing", OURS, "rfc"),
    ("rcpt", "452 Requested action not taken: insufficient system storage", OURS, "rfc"),
    ("data", "554 Transaction failed", OURS, "rfc"),
    ("rcpt", "554 no", OURS, "rfc"),
    ("rcpt", "354 go on", OURS, "rfc"),
]


@pytest.mark.parametrize(("stage", "reply", "fault", "source"), ANSWERS)
def test_what_servers_say(stage: Stage, reply: str, fault: MailFault, source: str) -> None:
    code, _, text = reply.partition(" ")
    assert read_fault(stage, int(code), text) is fault


@given(st.sampled_from(["connect", "ehlo", "auth", "mail"]), st.integers(100, 999), st.text(max_size=80))
def test_before_a_recipient_is_named_it_is_never_the_recipients(stage: Stage, code: int, reply: str) -> None:
    assert read_fault(stage, code, reply) is OURS


@given(st.sampled_from([reply for *_, reply, _, _ in ANSWERS]), st.sampled_from(["rcpt", "data"]))
def test_an_answer_for_now_never_means_that_somebody_is_gone(reply: str, stage: Stage) -> None:
    _, _, text = reply.partition(" ")
    for code in (421, 450, 451, 452, 454):
        assert read_fault(stage, code, text) is not GONE


@given(
    st.sampled_from([(stage, refusal) for stage, refusal, fault, _ in ANSWERS if fault is OURS]),
    st.sampled_from(
        ["mailbox-does-not-exist@example.com", "user.unknown@unknown-user.example", "no.such.user@x.example"]
    ),
)
def test_a_name_in_an_answer_decides_nothing(refusal: tuple[Stage, str], name: str) -> None:
    stage, words = refusal
    code, _, text = words.partition(" ")
    assert read_fault(stage, int(code), f"{text} <{name}>") is OURS


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("5.1.1 no", (5, 1, 1)),
        ("sorry (#5.7.1)", (5, 7, 1)),
        ("4.7.28", (4, 7, 28)),
        ("no", None),
        ("we have version 5.1.1", None),
        ("9.1.1 x", None),
    ],
)
def test_enhanced_codes(reply: str, code: tuple[int, int, int] | None) -> None:
    assert enhanced_code(reply) == code
