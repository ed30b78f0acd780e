"""The whole board as one document: stored with a recording, and drawn by a client that reconnects."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.strokes import Stroke
from models.whiteboards import WhiteboardPage


def board_snapshot(session: Session, session_id: int) -> dict[str, Any]:
    """`{"pages": [{page_id, page_number, page_title, background_color, strokes}]}` of a whiteboard session.

    Strokes are `{stroke_type, stroke_order, stroke_data}` in drawing order, without deleted ones; a page without
    strokes has an empty list. `background_image` is present if the page has one. Two queries.
    """
    pages = session.scalars(
        select(WhiteboardPage)
        .where(WhiteboardPage.session_id == session_id)
        .order_by(WhiteboardPage.page_number, WhiteboardPage.id)
    )
    documents = {page.id: page_document(page) | {"strokes": []} for page in pages}
    strokes = session.execute(
        select(Stroke.page_id, Stroke.stroke_type, Stroke.stroke_order, Stroke.stroke_data)
        .where(Stroke.page_id.in_(documents), Stroke.is_deleted.is_(False))
        # Rows written by the platform may share a number; the id then decides.
        .order_by(Stroke.page_id, Stroke.stroke_order, Stroke.id)
    )
    for page_id, stroke_type, stroke_order, stroke_data in strokes:
        documents[page_id]["strokes"].append(
            {"stroke_type": stroke_type, "stroke_order": stroke_order, "stroke_data": stroke_data}
        )
    return {"pages": list(documents.values())}


def page_document(page: WhiteboardPage) -> dict[str, Any]:
    """A page of a board, without its strokes."""
    document: dict[str, Any] = {
        "page_id": page.id,
        "page_number": page.page_number,
        "page_title": page.page_title,
        "background_color": page.background_color,
    }
    if page.background_image is not None:
        document["background_image"] = page.background_image
    return document
