"""Who is asking: the bearer token, read and then verified in the database."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from worker.access.callers import Caller, Operator, User
from worker.access.looks import keep_look
from worker.access.people import verify
from worker.access.tokens import read_token
from worker.api.services import Services, ServicesOf
from worker.errors import Unauthorized

_bearer = HTTPBearer(auto_error=False, description="The platform's own access token (HS256).")


def caller_of(
    services: ServicesOf, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The caller, as the token says and the database confirms. Raises Unauthorized, Forbidden."""
    if credentials is None:
        raise Unauthorized("This needs a token: `Authorization: Bearer …`.")
    settings = services.settings
    caller = read_token(credentials.credentials, settings.signing_key, settings.operator_departments)
    if not isinstance(caller, User):
        return caller
    with services.database.transaction() as session:
        return verify(session, caller)


async def kept_caller(request: Request, services: ServicesOf, caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
    """The caller. Of an operator it is kept what they ask for, before it is answered: no row, no answer."""
    if isinstance(caller, Operator):
        await run_in_threadpool(_keep, services, caller, request)
    return caller


def _keep(services: Services, operator: Operator, request: Request) -> None:
    route: str = getattr(request.scope.get("route"), "path", "")
    # As it was sent, in ASCII: a decoded path may hold what PostgreSQL's text cannot.
    path = bytes(request.scope["raw_path"]).decode("ascii", "replace")
    query = bytes(request.scope["query_string"]).decode("ascii", "replace")
    with services.database.transaction() as session:
        keep_look(session, operator, action=f"{request.method} {route}", address=f"{path}?{query}" if query else path)


CallerOf = Annotated[Caller, Depends(kept_caller)]
