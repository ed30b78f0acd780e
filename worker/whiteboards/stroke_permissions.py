"""Who may draw which strokes on a board."""

from collections.abc import Iterable, Mapping
from typing import Any

from worker.access.session_role import SessionRole
from worker.errors import Forbidden

PERMISSIONS = ("can_draw", "can_erase", "can_write")
_NEEDED = {"text": "can_write", "eraser": "can_erase"}


def permission_for(stroke_type: str) -> str:
    """The key of `student_permissions` that drawing such a stroke requires."""
    return _NEEDED.get(stroke_type, "can_draw")


def check_may_draw(role: SessionRole, permissions: Mapping[str, Any], stroke_types: Iterable[str]) -> None:
    """Raise Forbidden, for all of them, when one of the strokes is not allowed."""
    if role.full:
        return
    for needed in sorted({permission_for(stroke_type) for stroke_type in stroke_types}):
        # Only `true` grants it: a row of the platform may hold anything here.
        if permissions.get(needed) is not True:
            raise Forbidden(f"The host of this session has not granted {needed}.")


def drawer_of(role: SessionRole | None) -> SessionRole:
    """The role that draws; raises Forbidden without a role in the session."""
    if role is None:
        raise Forbidden("Only those who take part in this session can draw on it.")
    return role
