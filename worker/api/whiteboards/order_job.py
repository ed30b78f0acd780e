"""Order a job of a board, and respond with its address."""

from sqlalchemy.orm import Session

from worker.access.callers import Caller
from worker.api.services import Services
from worker.api.whiteboards.snapshot_documents import Ordered
from worker.jobs.enqueue import enqueue
from worker.jobs.idempotency import StoredResponse
from worker.jobs.live import require_room
from worker.jobs.orders.order import Order


def order_job(services: Services, session: Session, caller: Caller, order: Order) -> StoredResponse:
    """202 with the job's address; raises TooManyRequests when the caller has no room for another of its kind."""
    most, key = services.most_live_jobs, order.unique_key
    require_room(session, order.kind, principal=caller.principal, most=most, unique_key=key)
    job_id = enqueue(session, order, principal=caller.principal)
    headers = {"Location": f"/v1/jobs/{job_id}", "Retry-After": "2"}
    return StoredResponse(202, Ordered(job_id=job_id).model_dump_json(), headers)
