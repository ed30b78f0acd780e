"""Identify the caller: the bearer token is read, then verified in the database, and the request is counted."""

import re
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.concurrency import run_in_threadpool

from worker import clock
from worker.access.callers import Caller, Operator, UserCaller
from worker.access.operator_accesses import record_access
from worker.access.tickets import read_ticket
from worker.access.tokens import read_token
from worker.api.services import Services, ServicesOf, services_of
from worker.errors import AstegniError, Unauthorized
from worker.limits.rates import address_key
from worker.settings import Settings
from worker.workflows.people.verify_caller import verify_caller

# A body of this many bytes counts as one more request.
_BYTES_OF_A_REQUEST = 32_768
# A ticket opens a stream, so it is not stored.
_TICKET = re.compile(r"(?:^|&)ticket=[^&]*")

# Only for the API's description: the sender of a body is identified before the framework resolves dependencies.
_bearer = HTTPBearer(auto_error=False, description="The platform's own access token (HS256).")


async def identify(request: Request) -> Caller:
    """The caller of the token, verified in the database; cached for the request.

    The request and its body are counted. Raises Unauthorized, Forbidden, TooManyRequests.
    """
    caller = getattr(request.state, "caller", None)
    if caller is None:
        units = 1 + getattr(request.state, "body_bytes", 0) // _BYTES_OF_A_REQUEST
        services = await services_of(request)
        caller = await run_in_threadpool(_verified, services, request, units)
        request.state.caller = caller
    return cast("Caller", caller)


def address_of(request: Request) -> str:
    """The client's address, in the form that the counters use."""
    return address_key(request.client.host if request.client else None)


async def caller_of(
    request: Request, _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The caller of this request. Raises the same errors as `identify`."""
    return await identify(request)


def count_address(request: Request, services: ServicesOf) -> str:
    """Count a request that needs no token, and return its client's address. Raises TooManyRequests."""
    address = address_of(request)
    services.counters.take(services.rates.address_requests, address)
    return address


def _token_of(request: Request) -> str | None:
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    return token if scheme.lower() == "bearer" and token else None


def _claimed(request: Request, settings: Settings) -> Caller:
    """The caller that the token names or, for the address of a stream, the `ticket` in its query."""
    token, ticket = _token_of(request), request.query_params.get("ticket")
    if token is None and ticket is not None and request.method == "GET":
        return read_ticket(ticket, settings.signing_key, request.url.path)
    if token is None:
        raise Unauthorized("This needs a token: `Authorization: Bearer …`.")
    return read_token(token, settings.signing_key, settings.operator_departments)


def _verified(services: Services, request: Request, units: int) -> Caller:
    counters, rates = services.counters, services.rates
    try:
        caller = _claimed(request, services.settings)
        if not getattr(request.state, "is_counted", False):
            counters.take(rates.requests, caller.principal, units)
        if not isinstance(caller, UserCaller):
            return caller
        return verify_caller(services.database, services.context.platform_people, caller, now=clock.now())
    except Unauthorized:
        # Valid tokens from the same address still work: many people may share one. A missing token is not counted.
        if _token_of(request) is not None or "ticket" in request.query_params:
            counters.take(rates.wrong_tokens, address_of(request))
        raise


async def recorded_caller(
    request: Request, services: ServicesOf, caller: Annotated[Caller, Depends(caller_of)]
) -> Caller:
    """The caller. An operator's request is recorded before it is processed; if that fails, the request fails."""
    if isinstance(caller, Operator):
        await run_in_threadpool(_record, services, caller, request)
    return caller


def claimed_user(services: Services, request: Request) -> UserCaller | None:
    """The person whom the token names, not yet verified; None without one. Counts the request, so `identify` does not.

    Raises TooManyRequests.
    """
    try:
        caller = _claimed(request, services.settings)
    except AstegniError:
        return None
    if not isinstance(caller, UserCaller):
        return None
    services.counters.take(services.rates.requests, caller.principal)
    request.state.is_counted = True
    return caller


def _record(services: Services, operator: Operator, request: Request) -> None:
    route: str = getattr(request.scope.get("route"), "path", "")
    # As it was sent, in ASCII: a decoded path may contain characters that PostgreSQL's text cannot.
    path = bytes(request.scope["raw_path"]).decode("ascii", "replace")
    query = _TICKET.sub("", bytes(request.scope["query_string"]).decode("ascii", "replace"))
    with services.database.transaction() as session:
        record_access(
            session, operator, action=f"{request.method} {route}", address=f"{path}?{query}" if query else path
        )


CallerOf = Annotated[Caller, Depends(recorded_caller)]
AddressOf = Annotated[str, Depends(count_address)]
