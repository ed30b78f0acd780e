"""Films of a session: `…/replay` of its board, `…/combine` of its recordings. Each is a recording like any other."""

from fastapi import APIRouter
from starlette.responses import Response

from worker.access.callers import UserCaller
from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, RowId
from worker.api.http.idempotent import OnceOf
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.order_job import order_job
from worker.api.whiteboards.snapshot_documents import Ordered
from worker.canvases.replay.build_timeline import NothingDrawn
from worker.canvases.replay.history import was_drawn_on
from worker.canvases.replay.recorded_clock import RecordedClock
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.lesson_orders import CombineRecordings
from worker.recordings.films.combinable import combinables_of, require_several
from worker.workflows.recordings.voice_film import can_be_filmed

router = APIRouter(prefix="/v1/whiteboard/sessions", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))


class ReplayBody(Body):
    """How the board is filmed."""

    # Shorten each period without changes to three seconds.
    shorten_idle: bool = False


@router.post(
    "/{session_id}/replay",
    status_code=202,
    response_model=Ordered,
    responses=responses(409),
    summary="Film a board",
)
def post_replay(
    session_id: RowId, caller: CallerOf, once: OnceOf, services: ServicesOf, body: ReplayBody | None = None
) -> Response:
    """Order a film of the board (as its tutor or an operator); the job's result names the recording.

    Its sound is that of the session's audio-only recordings. Unchanged strokes and sounds give the same recording,
    however often they are filmed. A request while the job is unfinished returns the same job.
    """
    options = body or ReplayBody()
    with services.database.transaction() as session:
        session_for(session, caller, session_id, change=isinstance(caller, UserCaller))
        if not can_be_filmed(session, session_id):
            raise NothingDrawn(
                f"Nothing was drawn on the board of session {session_id}, so there is nothing to replay."
            )
        order = ReplayBoard(
            session_id,
            services.settings.spool_id,
            shorten_idle=options.shorten_idle,
            asked_by=caller.principal,
            recorded_by=caller.user_id if isinstance(caller, UserCaller) else None,
        )
        return once.answer(session, options, lambda: order_job(services, session, caller, order))


@router.post(
    "/{session_id}/combine",
    status_code=202,
    response_model=Ordered,
    responses=responses(409),
    summary="Combine recordings",
)
def post_combine(session_id: RowId, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Order one lesson of the session's recordings and board (as its tutor or an operator).

    The job's result names its recording. A session has one: another order replaces it when there are more recordings
    than before. A request while the job is unfinished returns the same job.
    """
    with services.database.transaction() as session:
        session_for(session, caller, session_id, change=isinstance(caller, UserCaller))
        recordings = combinables_of(session, session_id)
        require_several(recordings, session_id, is_drawn=was_drawn_on(session, session_id))
        recorded = RecordedClock([part.interval for recording in recordings for part in recording.stretches], [])
        order = CombineRecordings(
            session_id,
            services.settings.spool_id,
            seconds=recorded.duration_ms // 1000,
            asked_by=caller.principal,
            recorded_by=caller.user_id if isinstance(caller, UserCaller) else None,
        )
        return once.answer(session, Body(), lambda: order_job(services, session, caller, order))
