"""A platform of any size for benchmarks: people, lessons that do not collide, and boards with strokes.

Rows are written one after the other in the months until a month ago, their ids in the order of their times.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.harness.scale import Scale

_SCHEMA = Path(__file__).parents[2] / "tests" / "data" / "platform" / "schema-2026.sql"
_LESSONS_OF_GROUP, _STROKES_OF_BOARD = 5, 100
_ROWS = """
    INSERT INTO users (id, first_name, father_name, email, password_hash, created_at, updated_at)
    SELECT n, 'Person', 'Number ' || n, n || '@example.org', 'x', at, at
      FROM generate_series(1, {people}) n,
           LATERAL (SELECT now() - interval '300 days' + n * interval '260 days' / {people}) AS past (at);
    INSERT INTO tutor_profiles (id, user_id, username) SELECT n, n, 't' || n FROM generate_series(1, {groups}) n;
    INSERT INTO student_profiles (id, user_id, username, parent_id)
    SELECT n, n, 's' || n, '{{}}' FROM generate_series({groups} + 1, {people}) n;
    INSERT INTO courses (id, course_name) VALUES (1, 'Mathematics');
    INSERT INTO enrolled_courses (id, tutor_id, students_id, course_id, created_at)
    SELECT n, n, ARRAY[{groups} + n], ARRAY[1], at
      FROM generate_series(1, {groups}) n,
           LATERAL (SELECT now() - interval '200 days' + n * interval '100 days' / {groups}) AS past (at);
    INSERT INTO sessions (enrolled_courses_id, session_date, start_time, end_time, status, created_at, updated_at)
    SELECT 1 + n % {groups}, date '2026-09-01' + n / {groups}, '17:00', '18:00', 'completed', at, at
      FROM generate_series(0, {lessons} - 1) n,
           LATERAL (SELECT now() - interval '100 days' + n * interval '70 days' / {lessons}) AS past (at);
    INSERT INTO whiteboard_sessions (id, status, host_profile_id, host_profile_type, participant_profile_ids,
                                     participant_profile_types, created_at, updated_at)
    SELECT n, 'in-progress', n, 'tutor', ARRAY[{groups} + n], ARRAY['student'], at, at
      FROM generate_series(1, {boards}) n,
           LATERAL (SELECT now() - interval '30 days' + n * interval '1 minute') AS p (at);
    INSERT INTO whiteboard_pages (id, session_id, page_number, is_active, created_at, updated_at)
    SELECT id, id, 1, true, created_at, created_at FROM whiteboard_sessions;
    INSERT INTO whiteboard_canvas_data (page_id, session_id, user_id, stroke_type, stroke_data, stroke_order,
                                        created_at, profile_id, profile_type)
    SELECT board.id, board.id, board.id, 'pen',
           jsonb_build_object('points', (SELECT jsonb_agg(jsonb_build_array(10 * i, 5 * i))
                                           FROM generate_series(1, 20) i), 'color', '#000000', 'width', 3),
           n, board.created_at + n * interval '1 second', board.id, 'tutor'
      FROM whiteboard_sessions board, generate_series(1, {strokes_of_board}) n
     ORDER BY board.created_at + n * interval '1 second', board.id;
    ANALYZE;
"""


@dataclass(frozen=True)
class PlatformSize:
    """How many rows of each."""

    people: int
    lessons: int
    strokes: int

    @classmethod
    def of(cls, scale: Scale) -> "PlatformSize":
        """100 000 people, 50 000 lessons and 200 000 strokes, or a share of each."""
        share = scale.platform_share
        return cls(int(100_000 * share), int(50_000 * share), int(200_000 * share))


def fill_platform(connection: psycopg.Connection[Any], size: PlatformSize) -> None:
    """Create the platform's tables and these rows."""
    connection.execute(_SCHEMA.read_text().encode())
    numbers = {
        "people": size.people,
        "lessons": size.lessons,
        "groups": size.lessons // _LESSONS_OF_GROUP,
        "boards": size.strokes // _STROKES_OF_BOARD,
        "strokes_of_board": _STROKES_OF_BOARD,
    }
    connection.execute(_ROWS.format(**numbers).encode())
