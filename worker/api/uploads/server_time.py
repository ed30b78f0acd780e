"""The server's clock, to which pages synchronise theirs."""

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
    """The time with microseconds. On arrival it may be wrong by up to half of the request's duration."""
    response.headers["Cache-Control"] = "no-store"
    return TimeDocument(now=clock.now())
