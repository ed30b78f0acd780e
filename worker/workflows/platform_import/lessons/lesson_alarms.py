"""Alarms of lessons that the import has set."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.platform.connection import Row
from worker.platform.links import Link, read_links, remove_links, write_links
from worker.reminders.planning.platform_alarms import alarm_minutes, clear_platform_alarms, set_platform_alarms

# Lessons whose alarm the import has set; the digest is its minutes.
ALARM = "lesson_alarm"


def set_alarms(session: Session, lessons: Sequence[tuple[Row, int]]) -> None:
    """Bring the alarms that the import has set in line with the platform's switches."""
    before = {
        link.platform_id: int(link.digest)
        for link in read_links(session, ALARM, [row.id for row, _ in lessons]).values()
    }
    wanted = {row.id: alarm_minutes(row.alarm_before_minutes) for row, _ in lessons if row.alarm_enabled}
    ids = {row.id: our_id for row, our_id in lessons}
    gone = {row_id: minutes for row_id, minutes in before.items() if wanted.get(row_id) != minutes}
    clear_platform_alarms(session, {ids[row_id]: minutes for row_id, minutes in gone.items()})
    remove_links(session, ALARM, gone)
    set_platform_alarms(session, {ids[row_id]: minutes for row_id, minutes in wanted.items()})
    set_now = [Link(row_id, ids[row_id], str(minutes).encode()) for row_id, minutes in wanted.items()]
    write_links(session, ALARM, set_now)
