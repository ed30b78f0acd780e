"""Who is asking: the bearer token, read and then verified in the database."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from worker.access.callers import Caller, User
from worker.access.people import verify
from worker.access.tokens import read_token
from worker.api.services import ServicesOf
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


CallerOf = Annotated[Caller, Depends(caller_of)]
