"""A tutor's free time: `/v1/tutors/{id}/slots`."""

from fastapi import APIRouter

from worker import clock
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.paging import BY_TIME, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.http.time_params import From, To, moment
from worker.api.schedules.schedule_documents import FreeSlotDocument
from worker.api.services import ServicesOf
from worker.schedules.date_range import Range
from worker.schedules.slots import list_slots

router = APIRouter(prefix="/v1/tutors", tags=["schedules"], responses=responses(401, 403, 404, 422, 503))


@router.get("/{tutor_id}/slots", summary="List a tutor's free time")
def get_slots(
    tutor_id: RowId,
    _caller: CallerOf,
    services: ServicesOf,
    since: From,
    until: To,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[FreeSlotDocument]:
    """The free parts of a tutor's future slots, in order of time, for any caller; `limit` counts slots."""
    window = Range(moment("from", since), moment("to", until))
    after = BY_TIME.decode(cursor)
    with services.database.transaction() as session:
        free, slots = list_slots(session, tutor_id, window, now=clock.now(), after=after, limit=limit + 1)
        shown = {slot.id for slot in slots[:limit]}
        items = [FreeSlotDocument.model_validate(part) for part in free if part.schedule_id in shown]
    return Page(items=items, next=BY_TIME.after([(slot.starts_at, slot.id) for slot in slots], limit))
