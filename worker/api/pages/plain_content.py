"""The contents of a lesson's page without script: sound, film, chapters, the board's pages."""

from collections.abc import Sequence
from typing import Any

from models.recordings import Rendition
from worker.api.services import Services
from worker.canvases.snapshots.names import shared_folder
from worker.canvases.snapshots.showing import SnapshotStatus
from worker.player.readable import size_text, time_text
from worker.recordings.outputs.playback import PlaybackPlan
from worker.recordings.texts.chapters import Chapter
from worker.storage.signed_addresses import SignedAddresses

# Each address has hundreds of characters: with at most this many, the page stays below 15 KB.
_MAX_LINKED_CHAPTERS = 8
_MAX_CHAPTERS = 40
_MAX_PAGES = 6
_LONGEST_TITLE = 80
_SOUNDS = ("audio-aac", "audio")
_FILMS = ("download", "playback")


def plain_content(
    services: Services,
    plan: PlaybackPlan,
    chapters: Sequence[Chapter],
    pictures: Sequence[SnapshotStatus],
    words: dict[str, str],
) -> dict[str, Any]:
    """The values of the page's template."""
    rows = {row.name: row for row in plan.renditions if row.state == "ready" and row.object_name}
    addresses = SignedAddresses(services.context.store, plan.seconds)
    sounds = [_file(rows[name], addresses, words["mode-sound"]) for name in _SOUNDS if name in rows]
    recorded = rows.get("playback")
    if not sounds and recorded is not None and (recorded.mime or "").startswith("audio/"):
        sounds = [_file(recorded, addresses, words["mode-sound"])]
        del rows["playback"]
    films = [_file(rows[name], addresses, words["downloadFilm"]) for name in _FILMS if name in rows]
    document = rows.get("document")
    pages, board = _board(services, pictures, plan.seconds, words)
    return {
        "sounds": sounds,
        "films": films,
        "chapters": _chapters(chapters, sounds),
        "pages": pages,
        "document": board or (_file(document, addresses, "") if document else None),
    }


def _file(row: Rendition, addresses: SignedAddresses, label: str) -> dict[str, str]:
    kind = (row.mime or "").partition(";")[0].partition("/")[2].upper()
    return {
        "url": addresses.of(row.object_name or ""),
        "mime": row.mime or "",
        "label": f"{label} {kind}".strip(),
        "size": size_text(row.bytes),
    }


def _chapters(chapters: Sequence[Chapter], sounds: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The first chapters link into the sound (a media fragment: `#t=90`), the others are plain text."""
    links = [f"{sounds[0]['url']}#t={chapter.start_ms / 1000:g}" for chapter in chapters] if sounds else []
    return [
        {
            "time": time_text(chapter.start_ms),
            "title": chapter.title[:_LONGEST_TITLE],
            "url": links[number] if links and number < _MAX_LINKED_CHAPTERS else "",
        }
        for number, chapter in enumerate(chapters[:_MAX_CHAPTERS])
    ]


def _board(
    services: Services, pictures: Sequence[SnapshotStatus], seconds: int, words: dict[str, str]
) -> tuple[list[dict[str, str]], dict[str, str] | None]:
    """The first pages' pictures, and the document of all pages."""
    if not pictures:
        return [], None
    store = services.context.store
    # One token for all: each page's pictures are in a folder of their own.
    token = store.authorize_download(shared_folder([shown.snapshot.object_name for shown in pictures]), seconds)
    large = {shown.page_number: shown.snapshot for shown in pictures if shown.snapshot.name == "png"}
    small = {shown.page_number: shown.snapshot for shown in pictures if shown.snapshot.name == "thumbnail"}
    pages = [
        {
            "url": store.signed_url(small.get(number, picture).object_name, token),
            "large": store.signed_url(picture.object_name, token),
            "label": words["page"].format(n=number),
        }
        for number, picture in sorted(large.items(), key=lambda page: page[0] or 0)[:_MAX_PAGES]
    ]
    documents = [shown.snapshot for shown in pictures if shown.snapshot.name == "pdf"]
    if not documents:
        return pages, None
    url = store.signed_url(documents[0].object_name, token)
    return pages, {"url": url, "size": size_text(documents[0].bytes)}
