"""Names of the platform's courses, which packages and groups list by id."""

from collections.abc import Collection, Sequence

from worker.platform.catalog import Column
from worker.platform.source import Source
from worker.workflows.platform_import.kind import Pull

COURSES = Source(
    "courses",
    {
        "id": Column("courses", "id", "integer", required=True),
        "name": Column("courses", "course_name", "varchar", required=True),
    },
)


def course_names(pull: Pull, lists: Collection[Sequence[int] | None]) -> dict[int, str]:
    """The names of all courses in these lists, by id. At most one statement. Raises Unavailable."""
    ids = {course_id for courses in lists for course_id in courses or () if course_id is not None}
    if not ids or not COURSES.is_there(pull.catalog):
        return {}
    return {row.id: row.name for row in pull.reader(COURSES).rows_of(sorted(ids))}


def subject(names: dict[int, str], courses: Sequence[int] | None) -> str | None:
    """The names of the courses in one list; None when none is known."""
    return ", ".join(names[course_id] for course_id in courses or () if course_id in names) or None
