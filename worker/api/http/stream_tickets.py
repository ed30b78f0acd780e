"""Tickets for streams: `POST …/events/ticket` gives an address that a browser's `EventSource` can open."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import Field

from worker import clock
from worker.access.tickets import issue_ticket
from worker.api.http.addresses import public_address
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document
from worker.api.services import ServicesOf


class TicketDocument(Document):
    """The address of a stream, which needs no `Authorization` header."""

    url: str = Field(
        description="Open it with `new EventSource(url)`. It works for this stream only.",
        examples=["https://api.astegni.example/v1/jobs/9f1c2a35-6f0e-4b7b-9d6c-0f6a1d1c2b11/events?ticket=eyJ…"],
    )
    expires_at: datetime = Field(
        description="Until then the address opens. An open stream goes on as long as the token is valid.",
        examples=["2027-01-04T10:46:00Z"],
    )


def ticket_of(request: Request, caller: CallerOf, services: ServicesOf) -> TicketDocument:
    """A ticket for the stream whose path is the requested one without `/ticket`."""
    path = request.url.path.removesuffix("/ticket")
    ticket, expires_at = issue_ticket(services.settings.signing_key, caller, path, clock.now())
    url = public_address(request, services.settings, f"{path}?{urlencode({'ticket': ticket})}")
    return TicketDocument(url=url, expires_at=expires_at)


TicketOf = Annotated[TicketDocument, Depends(ticket_of)]
