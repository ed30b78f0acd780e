"""The caller's own timetable, in the words of the platform's form: `/v1/me/timetable`."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from worker import clock
from worker.access.callers import UserCaller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.schedules.timetable_documents import EntryChange, EntryDocument, EntryStatus, NewEntry, Role
from worker.api.services import ServicesOf
from worker.errors import Forbidden
from worker.jobs.idempotency import StoredResponse
from worker.schedules.timetable.entries import find_entry, list_entries
from worker.schedules.timetable.viewing import view_entries
from worker.workflows.lessons.plan_timetable import add_entry, change_entry, remove_entry

router = APIRouter(prefix="/v1/me/timetable", tags=["timetable"], responses=responses(401, 403, 422, 503))


def person(caller: CallerOf) -> UserCaller:
    """The caller, who must be a person. Raises Forbidden."""
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator has no timetable.")
    return caller


Person = Annotated[UserCaller, Depends(person)]


@router.get("", summary="List my timetable")
def get_timetable(
    caller: Person,
    services: ServicesOf,
    role: Role | None = None,
    status: EntryStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[EntryDocument]:
    """The caller's entries, newest first, those of all their roles unless `role` names one."""
    before = BY_ID.decode(cursor)
    with services.database.transaction() as session:
        entries = list_entries(session, caller.user_id, role=role, status=status, before=before, limit=limit + 1)
        views = view_entries(session, caller.user_id, entries[:limit], now=clock.now())
        items = [EntryDocument.of(view) for view in views]
    return Page(items=items, next=BY_ID.after([entry.id for entry in entries], limit))


@router.post("", status_code=201, response_model=EntryDocument, responses=responses(409), summary="Add an entry")
def post_entry(body: NewEntry, caller: Person, once: OnceOf, services: ServicesOf) -> Response:
    """Add an entry in the caller's role, with one alarm. Lessons at the same times are shown, and do not prevent it."""
    now = clock.now()
    with services.acting(caller) as session:

        def make() -> StoredResponse:
            values = body.model_dump(exclude_unset=True)
            entry = add_entry(session, caller, values, default_zone=services.settings.timezone, now=now)
            (view,) = view_entries(session, caller.user_id, [entry], now=now)
            return created(f"/v1/me/timetable/{entry.id}", EntryDocument.of(view))

        return once.answer(session, body, make)


@router.get("/{entry_id}", responses=responses(404), summary="Read an entry")
def get_entry(entry_id: RowId, caller: Person, services: ServicesOf) -> EntryDocument:
    """One of the caller's entries."""
    with services.database.transaction() as session:
        entry = find_entry(session, caller.user_id, entry_id)
        (view,) = view_entries(session, caller.user_id, [entry], now=clock.now())
        return EntryDocument.of(view)


@router.patch("/{entry_id}", responses=responses(404), summary="Change an entry")
def patch_entry(entry_id: RowId, body: EntryChange, caller: Person, services: ServicesOf) -> EntryDocument:
    """Change an entry; reminders that are not sent yet are replanned at once."""
    now = clock.now()
    with services.acting(caller) as session:
        entry = change_entry(session, caller, entry_id, body.model_dump(exclude_unset=True), now=now)
        (view,) = view_entries(session, caller.user_id, [entry], now=now)
        return EntryDocument.of(view)


@router.delete("/{entry_id}", status_code=204, responses=responses(404), summary="Delete an entry")
def delete_entry(entry_id: RowId, caller: Person, services: ServicesOf) -> None:
    """Delete an entry, with the reminders that are not sent yet."""
    with services.database.transaction() as session:
        remove_entry(session, caller, entry_id)
