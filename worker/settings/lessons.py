"""Settings of lessons and their boards."""

from pydantic import Field

from worker.settings.group import YEAR, SettingsGroup


class LessonSettings(SettingsGroup):
    """Series, whiteboard sessions and snapshots."""

    # --- lessons
    schedule_horizon_days: int = Field(90, ge=1, le=366, description="How many days ahead series are kept filled.")
    whiteboard_left_seconds: int = Field(
        7200,
        ge=60,
        le=YEAR,
        description="A whiteboard session in which nothing happens this long after its lesson is closed.",
    )

    # --- boards
    snapshot_interval: int = Field(
        120, ge=10, le=86_400, description="How often pages that changed in running sessions are drawn anew."
    )
