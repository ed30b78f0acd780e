"""Whose id `requested_sessions.requester_id` is: a user's since February 2026, a profile's before.

Ids of users and profiles overlap, so a wrong reading finds somebody else instead of failing. The state of the platform
says which it should be, and the rows show which it is: a student asks for themselves, a parent for a child of theirs.
"""

from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Composed, Identifier

from worker.platform.catalog import Catalog, Column
from worker.platform.connection import PlatformConnection
from worker.platform.state import PlatformState, platform_state

# The newest rows only, which are of one state even if older ones were never converted.
_EVIDENCE = 2000


@dataclass(frozen=True)
class RequesterReading:
    """Whether requesters are users according to the state, and how many rows fit a user, and a profile, of that id."""

    are_users: bool
    fit_users: int
    fit_profiles: int

    @property
    def is_contradicted(self) -> bool:
        """Whether the other reading fits more rows."""
        by_state, other = self.fit_users, self.fit_profiles
        if not self.are_users:
            by_state, other = other, by_state
        return other > by_state


def read_requesters(connection: PlatformConnection, catalog: Catalog) -> RequesterReading:
    """Compare the newest requests with both readings. One statement. Raises Unavailable."""
    are_users = platform_state(catalog) in (PlatformState.FEBRUARY_2026, PlatformState.JUNE_2026)
    [row] = connection.rows(_statement(catalog), {"most": _EVIDENCE}, seconds=10.0)
    return RequesterReading(are_users, row.fit_users, row.fit_profiles)


def _statement(catalog: Catalog) -> Composed:
    learner = catalog.expression(Column("requested_sessions", "requested_to_id", "integer"))
    fits = [_fits(catalog, Identifier("profile", column)) for column in ("user_id", "id")]
    return SQL(
        "SELECT count(*) FILTER (WHERE {}) AS fit_users, count(*) FILTER (WHERE {}) AS fit_profiles FROM"
        " (SELECT requester_id, requester_type, {} AS learner FROM requested_sessions ORDER BY id DESC LIMIT %(most)s)"
        " AS request"
    ).format(*fits, learner)


def _fits(catalog: Catalog, number: Identifier) -> Composable:
    """A condition: the id belongs to a profile of the requester's type that speaks for the student."""
    student = SQL(
        "requester_type = 'student' AND EXISTS (SELECT FROM student_profiles profile WHERE {}"
        " = request.requester_id AND coalesce(request.learner, profile.id) = profile.id)"
    ).format(number)
    if "parent_profiles" not in catalog.tables:
        return student
    parent = SQL(
        "requester_type = 'parent' AND EXISTS (SELECT FROM parent_profiles profile WHERE {}"
        " = request.requester_id AND (request.learner IS NULL OR EXISTS (SELECT FROM student_profiles child"
        " WHERE child.id = request.learner AND profile.id = ANY(child.parent_id))))"
    ).format(number)
    return SQL("{} OR {}").format(student, parent)
