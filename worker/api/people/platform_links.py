"""Our ids of the platform's rows: `/v1/platform/links`. The platform's pages know only its own ids."""

from typing import Literal

from fastapi import APIRouter
from sqlalchemy.orm import Session

from worker.access.callers import Caller, UserCaller
from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document, RowId
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.errors import NotFound
from worker.platform.links import our_ids
from worker.schedules.reading import find_lesson
from worker.schedules.timetable.entries import find_entry

router = APIRouter(prefix="/v1/platform", tags=["platform"], responses=responses(401, 403, 404, 422, 503))

LinkKind = Literal["lesson", "board", "entry"]


class LinkDocument(Document):
    """A row of the platform and ours. `id` is null when it has not been imported, or the caller may not see it."""

    kind: LinkKind
    platform_id: int
    id: int | None
    # True: what is missing may come with the next import.
    is_imported: bool


@router.get("/links/{kind}/{platform_id}", summary="Find a row of the platform's")
def get_link(kind: LinkKind, platform_id: RowId, caller: CallerOf, services: ServicesOf) -> LinkDocument:
    """Our id of the platform's lesson, whiteboard session, or entry of the caller's timetable."""
    with services.database.transaction() as session:
        our_id = _visible(session, caller, kind, our_ids(session, kind, [platform_id]).get(platform_id))
    imported = services.settings.platform_database_url is not None
    return LinkDocument(kind=kind, platform_id=platform_id, id=our_id, is_imported=imported)


def _visible(session: Session, caller: Caller, kind: LinkKind, row_id: int | None) -> int | None:
    if row_id is None:
        return None
    try:
        if kind == "lesson":
            find_lesson(session, caller, row_id)
        elif kind == "board":
            session_for(session, caller, row_id)
        elif isinstance(caller, UserCaller):
            find_entry(session, caller.user_id, row_id)
    except NotFound:
        return None
    return row_id
