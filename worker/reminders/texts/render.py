"""Render a message: subject, summary, plain text and HTML from one template of its language and kind.

The template holds the sentences, the layout their arrangement: it is rendered once with each layout. User text is
passed only as values, so Jinja never parses it; in HTML every value is escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from worker.foreign_text import clean
from worker.reminders.texts.facts import checked_data, facts
from worker.reminders.texts.recipient import Language, Recipient

# Two names and a subject at their longest. A line of over 998 octets is invalid (RFC 5322 §2.1.1).
_LONGEST_SUBJECT = 200
_COLONS: Mapping[Language, str] = {"en": ": ", "am": "፦ "}


@dataclass(frozen=True)
class RenderedText:
    """One message: `subject` and `summary` are single lines; `text` and `html` are each complete."""

    subject: str
    # The message in one or two sentences, for the app and for short messages.
    summary: str
    text: str
    html: str


def render(kind: str, data: Mapping[str, Any], reader: Recipient) -> RenderedText:
    """Render the message `kind` (models.states.MESSAGE_KINDS) from `data`, for `reader`.

    Raises InvalidMessageData when the data lack what `worker.reminders.texts.data` requires.
    """
    known = facts(kind, data, reader)
    name = f"{reader.language}/{kind}.j2"
    with checked_data(kind):
        plain = _environment("text", reader.language).get_template(name)
        page = _environment("html", reader.language).get_template(name)
        subject = clean(plain.render(known, layout="subject.j2"), _LONGEST_SUBJECT, defang=False)
        return RenderedText(
            subject=subject,
            summary=_line(plain.render(known, layout="summary.j2")),
            text=_tidy(plain.render(known, layout="text.j2")),
            html=_tidy(page.render(known, layout="html.j2", subject_line=subject)),
        )


@cache
def _environment(form: str, language: Language) -> Environment:
    """The templates as `form` "text" or "html"; `part` holds that form's lines, links and buttons."""
    environment = Environment(
        loader=PackageLoader("worker.reminders.texts"),
        autoescape=form == "html",  # noqa: S701 - plain text would show "&amp;" literally
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Templates come with the package and do not change while a process runs.
        auto_reload=False,
    )
    environment.filters |= {"line": _line, "packed": _packed}
    environment.globals["colon"] = _COLONS[language]
    environment.globals["part"] = environment.get_template(f"{form}-parts.j2").module
    return environment


def _line(words: str) -> str:
    return " ".join(words.split())


def _packed(lines: str) -> str:
    """Remove empty lines."""
    return "\n".join(line.strip() for line in lines.splitlines() if line.strip())


def _tidy(lines: str) -> str:
    """Remove trailing spaces, and all but one of consecutive empty lines."""
    kept: list[str] = []
    for line in (line.rstrip() for line in lines.strip().splitlines()):
        if line or kept[-1]:
            kept.append(line)
    return "\n".join(kept) + "\n"
