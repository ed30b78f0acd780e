"""`astegni token`: prints a token of the platform, for development."""

from typing import Annotated

import typer

from worker.errors import InvalidInput
from worker.settings import Settings

# The maximum of PostgreSQL's integer: tokens with a larger id are refused.
_LARGEST_ID = 2**31 - 1
_ROLES = frozenset({"tutor", "student", "parent"})


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(token)


def token(
    sub: Annotated[int | None, typer.Option(help="users.id of the person.", min=1, max=_LARGEST_ID)] = None,
    role: Annotated[str | None, typer.Option(help="tutor, student or parent.")] = None,
    role_id: Annotated[list[str] | None, typer.Option(help="Profile, like tutor=1; may be given again.")] = None,
    admin: Annotated[
        int | None, typer.Option(help="admin_id: print an operator's token instead.", min=1, max=_LARGEST_ID)
    ] = None,
    expires_in: Annotated[int, typer.Option(help="Lifetime in seconds.", min=1)] = 7 * 86_400,
) -> None:
    """Print a token signed with SECRET_KEY, or with the published development key."""
    from worker.access.issue_token import issue_operator_token, issue_token  # noqa: PLC0415 - not for `--help`

    settings = Settings()
    if (sub is None) == (admin is None):
        raise InvalidInput("Say whose token: either --sub (a person) or --admin (an operator).")
    if role is not None and role not in _ROLES:
        raise InvalidInput(f"--role {role!r} is not tutor, student or parent.")
    if admin is not None:
        departments = settings.operator_departments
        text = issue_operator_token(
            settings.signing_key, admin_id=admin, departments=departments, expires_in=expires_in
        )
    else:
        text = issue_token(
            settings.signing_key, sub=sub or 0, role=role, role_ids=_role_ids(role_id or []), expires_in=expires_in
        )
    typer.echo(text)


def _role_ids(pairs: list[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        if name not in _ROLES or not number.isdecimal() or not 0 < int(number[:11]) <= _LARGEST_ID:
            raise InvalidInput(f"--role-id {pair!r} is not like tutor=1, student=2 or parent=3.")
        ids[name] = int(number)
    return ids
