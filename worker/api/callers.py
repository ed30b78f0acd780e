"""Who is asking: the bearer token, read and then verified in the database, and how often they ask."""

import re
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.concurrency import run_in_threadpool

from worker.access.callers import Caller, Operator, UserCaller
from worker.access.operator_accesses import keep_look
from worker.access.people import verify
from worker.access.tickets import read_ticket
from worker.access.tokens import read_token
from worker.api.services import Services, ServicesOf, services_of
from worker.errors import Unauthorized
from worker.limits.rates import address_key
from worker.settings import Settings

# A body of so many bytes is as much work as a request.
_BYTES_OF_A_REQUEST = 32_768
# It opens a stream, so it is kept nowhere.
_TICKET = re.compile(r"(?:^|&)ticket=[^&]*")

# Only for the description of the API: a body's sender is known before the framework asks for a dependency.
_bearer = HTTPBearer(auto_error=False, description="The platform's own access token (HS256).")


async def identify(request: Request) -> Caller:
    """The caller, as the token says and the database confirms; asked again for a request, the same answer.

    The request is counted, with the body that it brings. Raises Unauthorized, Forbidden, TooManyRequests.
    """
    caller = getattr(request.state, "caller", None)
    if caller is None:
        units = 1 + getattr(request.state, "body_bytes", 0) // _BYTES_OF_A_REQUEST
        services = await services_of(request)
        caller = await run_in_threadpool(_verified, services, request, units)
        request.state.caller = caller
    return cast("Caller", caller)


def address_of(request: Request) -> str:
    """The address that asks, as the counters know it."""
    return address_key(request.client.host if request.client else None)


async def caller_of(
    request: Request, _described: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The caller of this request. Raises what `identify` raises."""
    return await identify(request)


def count_address(request: Request, services: ServicesOf) -> str:
    """Count a request that needs no token, and return whose it is. Raises TooManyRequests."""
    address = address_of(request)
    services.counters.take(services.rates.address_requests, address)
    return address


def _token_of(request: Request) -> str | None:
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    return token if scheme.lower() == "bearer" and token else None


def _claimed(request: Request, settings: Settings) -> Caller:
    """The caller that a token names, or, on the address of a stream, the `ticket` in its query."""
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
        counters.take(rates.requests, caller.principal, units)
        if not isinstance(caller, UserCaller):
            return caller
        with services.database.transaction() as session:
            return verify(session, caller)
    except Unauthorized:
        # Right tokens from the same address go on: behind one address may be a whole town. None is not wrong.
        if _token_of(request) is not None or "ticket" in request.query_params:
            counters.take(rates.wrong_tokens, address_of(request))
        raise


async def kept_caller(request: Request, services: ServicesOf, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """The caller. Of an operator it is kept what they ask for, before it is answered: no row, no answer."""
    if isinstance(caller, Operator):
        await run_in_threadpool(_keep, services, caller, request)
    return caller


def _keep(services: Services, operator: Operator, request: Request) -> None:
    route: str = getattr(request.scope.get("route"), "path", "")
    # As it was sent, in ASCII: a decoded path may hold what PostgreSQL's text cannot.
    path = bytes(request.scope["raw_path"]).decode("ascii", "replace")
    query = _TICKET.sub("", bytes(request.scope["query_string"]).decode("ascii", "replace"))
    with services.database.transaction() as session:
        keep_look(session, operator, action=f"{request.method} {route}", address=f"{path}?{query}" if query else path)


CallerOf = Annotated[Caller, Depends(kept_caller)]
AddressOf = Annotated[str, Depends(count_address)]
