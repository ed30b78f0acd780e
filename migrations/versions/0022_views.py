"""Views for code that does not own the tables, so that the owner may rename columns without breaking it.

Plain selections without aggregates, so the planner replaces each by its tables and uses their indexes. A condition on
`schedule_id`, `user_id` or `booking_id` reaches every branch of a union; a join on them does not.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# The owner of each view is named above it; tests/house/table_owners.py has the same.
_VIEWS = {
    # Owner: whiteboards.
    "boards": """
        SELECT id, session_title, status, schedule_id, actual_end, updated_at FROM whiteboard_sessions
    """,
    "board_pages": """
        SELECT id, session_id, page_number, page_title, background_color, background_image, updated_at
          FROM whiteboard_pages
    """,
    "page_strokes": """
        SELECT id, page_id, session_id, stroke_type, stroke_data, stroke_order, is_deleted, created_at, started_at,
               ended_at, deleted_at
          FROM whiteboard_canvas_data
    """,
    "page_activations": """
        SELECT id, session_id, page_id, at FROM whiteboard_events WHERE kind = 'page'
    """,
    # Who joined or started a board of a lesson; NULL for a board to which nobody came. Cancelled boards do not count.
    "lesson_visitors": """
        SELECT board.schedule_id, event.profile_type, event.profile_id
          FROM whiteboard_sessions board
          LEFT JOIN whiteboard_events event ON event.session_id = board.id AND event.kind IN ('join', 'start')
         WHERE board.status <> 'cancelled'
    """,
    # Owner: schedules. Slots and cancelled lessons included.
    "lessons": """
        SELECT id, series_id, occurrence_date, tutor_id, student_id IS NULL AS is_slot, status, starts_at, ends_at,
               timezone, subject, location, meeting_link, sequence, created_at, updated_at
          FROM tutor_schedules
    """,
    "lesson_series": """
        SELECT id, status FROM schedule_series
    """,
    # Who attends a lesson: one student, or several of a group.
    "lesson_seats": """
        SELECT schedule_id, student_id, status, starts_at FROM schedule_participants
    """,
    # The lessons that concern a person, whatever their state. Each branch uses an index of its own.
    "person_lessons": """
        SELECT tutor.user_id, lesson.id AS schedule_id, lesson.starts_at
          FROM tutor_profiles tutor JOIN tutor_schedules lesson ON lesson.tutor_id = tutor.id
         WHERE lesson.student_id IS NOT NULL
         UNION
        SELECT student.user_id, seat.schedule_id, seat.starts_at
          FROM student_profiles student JOIN schedule_participants seat ON seat.student_id = student.id
         UNION
        SELECT parent.user_id, seat.schedule_id, seat.starts_at
          FROM parent_profiles parent
          JOIN student_profiles student ON student.parent_id @> ARRAY[parent.id]
          JOIN schedule_participants seat ON seat.student_id = student.id
    """,
    # The lessons of a booking: its own, and those of series that its student attends through it.
    "booking_lessons": """
        SELECT booking_id, id AS schedule_id, starts_at FROM tutor_schedules
         UNION
        SELECT seat.booking_id, lesson.id, lesson.starts_at
          FROM series_participants seat JOIN tutor_schedules lesson ON lesson.series_id = seat.series_id
    """,
    # Owner: recordings.
    "available_recordings": """
        SELECT id, session_id FROM whiteboard_session_recordings WHERE is_available
    """,
    # Owner: jobs.
    "unsuccessful_jobs": """
        SELECT id, kind, subject, finished_at FROM jobs WHERE state IN ('failed', 'dead', 'cancelled')
    """,
}


def upgrade() -> None:
    for name, selection in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {selection}")


def downgrade() -> None:
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW {name}")
