"""A stroke of the platform, in the form in which it is stored here."""

from datetime import datetime
from typing import NamedTuple

_PREFIX = "platform-"


class PlatformStroke(NamedTuple):
    """A platform stroke, its data in the stored format as JSON text. The profile is None in older rows.

    `name` is the `client_id` that the script of the platform's pages (`/astegni.js`) gave it; None without one.
    """

    platform_id: int
    page_id: int
    session_id: int
    user_id: int | None
    profile_type: str | None
    profile_id: int | None
    stroke_type: str
    stroke_data: str
    is_deleted: bool
    created_at: datetime
    name: str | None = None

    @property
    def client_id(self) -> str:
        """Its name on the page."""
        return self.name or f"{_PREFIX}{self.platform_id}"
