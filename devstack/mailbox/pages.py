"""The pages, as text. Whatever comes from a message is escaped; there is no script."""

from collections.abc import Iterable
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
td:last-child { overflow-wrap: anywhere; }
@media (max-width: 45rem) { td { overflow-wrap: anywhere; } :is(th, td):nth-child(2) { display: none; } }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; overflow-wrap: anywhere; }
dt { opacity: .7; }
dd { margin: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8882; padding: 1rem; }
iframe { width: 100%; height: 40rem; border: 1px solid #8888; background: #fff; }
.when { white-space: nowrap; }
.none { opacity: .7; }
"""
_FEWEST_SECONDS = 5


def letter_list(letters: Iterable[dict[str, Any]]) -> str:
    """Every message, one line each; it looks for new ones by itself."""
    rows = "".join(
        f'<tr><td class="when">{_when(letter["received_at"])}<td>{escape(letter["from"])}'
        f"<td>{escape(', '.join(letter['to']))}"
        f'<td><a href="/mail/{letter["id"]}">{escape(letter["subject"]) or "(no subject)"}</a>'
        for letter in letters
    )
    shown = (
        f"<table><tr><th>Came (UTC)<th>From<th>To<th>Subject{rows}</table>" if rows else '<p class="none">No mail yet.'
    )
    return _page("Mailbox", f"<h1>Mailbox</h1>{shown}", f'<meta http-equiv="refresh" content="{_FEWEST_SECONDS}">')


def letter_page(letter: dict[str, Any]) -> str:
    """One message: its headers, text, HTML in a frame that can do nothing, and attachments to download."""
    facts = {
        "From": letter["from"],
        "To": ", ".join(letter["to"]),
        "Date": f"{_when(letter['date'])} UTC",
        "Came": f"{_when(letter['received_at'])} UTC",
        "Message-ID": letter["message_id"],
    }
    parts = [
        '<p><a href="/">All messages</a>',
        f"<h1>{escape(letter['subject']) or '(no subject)'}</h1>",
        f"<dl>{''.join(f'<dt>{name}<dd>{escape(value)}' for name, value in facts.items())}</dl>",
    ]
    if letter["attachments"]:
        parts.append(f"<h2>Attachments</h2><ul>{''.join(map(_attachment, letter['attachments']))}</ul>")
    if letter["html"]:
        parts.append(f'<h2>HTML</h2><iframe sandbox title="The message" src="/mail/{letter["id"]}/html"></iframe>')
    if letter["text"]:
        parts.append(f"<h2>Text</h2><pre>{escape(letter['text'])}</pre>")
    parts.append(f'<p><a href="/messages/{letter["id"]}/raw">The message as it came</a>')
    return _page(letter["subject"], "".join(parts))


def _attachment(attachment: dict[str, Any]) -> str:
    name = f'<a href="{attachment["url"]}">{escape(attachment["name"])}</a>'
    return f"<li>{name} <small>{escape(attachment['mime'])}, {attachment['bytes']:,} bytes</small>"


def _when(moment: str) -> str:
    return escape(moment.replace("T", " ")[:19])


def _page(title: str, body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)}</title>{head}<link rel="stylesheet" href="/style.css">{body}</html>'
    )
