"""The server's clock, for pages that match theirs to it."""

from datetime import datetime

from fastapi import APIRouter, Depends, Response

from worker import clock
from worker.api.http.callers import count_address
from worker.api.http.fields import Document
from worker.api.http.problems import responses

router = APIRouter(prefix="/v1", tags=["health"], responses=responses(429, 503))


class TimeDocument(Document):
    """The server's time when it wrote the response."""

    now: datetime


@router.get("/time", dependencies=[Depends(count_address)], summary="Read the server's clock")
def get_time(response: Response) -> TimeDocument:
    """The time with microseconds. Half of the request's duration is how wrong it may be when it arrives."""
    response.headers["Cache-Control"] = "no-store"
    return TimeDocument(now=clock.now())
