"""Settings of lessons and their boards."""

from pydantic import Field

from worker.settings.group import YEAR, SettingsGroup


class LessonSettings(SettingsGroup):
    """Series, whiteboard sessions and snapshots."""

    # --- lessons
    schedule_horizon_days: int = Field(
        90, ge=1, le=366, description="How many days ahead the lessons of series are created."
    )
    whiteboard_left_seconds: int = Field(
        7200,
        ge=60,
        le=YEAR,
        description="A whiteboard session that is inactive for this long after its lesson is closed.",
    )

    # --- boards
    snapshot_interval: int = Field(
        120, ge=10, le=86_400, description="How often the changed pages of running sessions are drawn again."
    )
