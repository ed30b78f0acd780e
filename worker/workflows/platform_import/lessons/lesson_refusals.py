"""What is reported about lessons: collisions, and people with two lessons at once."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

from worker.platform.links import linked_platform_ids
from worker.platform.refusals import Refusal
from worker.schedules.platform_overlaps import people_in_two_roles
from worker.workflows.platform_import.bookings.lesson_kinds import LESSON
from worker.workflows.platform_import.lessons.collisions import Collision

WITHOUT_COURSE = Refusal(
    "nobodys", "no course: nobody's", "Give the lesson a group on the platform, or delete it there."
)


def collision_refusals(
    session: Session, platform_ids: Sequence[int], collisions: Sequence[Collision | None], *, kind: str = LESSON
) -> dict[int, tuple[Refusal, ...]]:
    """Why colliding lessons were not stored, by platform id; `kind` is the kind of their links."""
    stored = [each.stored_id for each in collisions if each is not None and each.stored_id is not None]
    theirs = linked_platform_ids(session, kind, stored) if stored else {}
    refusals: dict[int, tuple[Refusal, ...]] = {}
    for platform_id, collision in zip(platform_ids, collisions, strict=True):
        if collision is not None:
            refusals[platform_id] = (_collision_refusal(collision, platform_ids, theirs),)
    return refusals


def _collision_refusal(
    collision: Collision, platform_ids: Sequence[int], theirs: Mapping[int, Sequence[int]]
) -> Refusal:
    if collision.place is not None:
        other, details = str(platform_ids[collision.place]), {"lesson": platform_ids[collision.place]}
    elif collision.stored_id is not None and collision.stored_id in theirs:
        other, details = str(theirs[collision.stored_id][0]), {"lesson": theirs[collision.stored_id][0]}
    else:
        other, details = f"{collision.stored_id} made here", {}
    remedy = (
        "Delete one of the two on the platform." if collision.code == "same-as" else "Move or cancel one of the two."
    )
    return Refusal(collision.code, collision.reason(other), remedy, details=details)


def two_role_notes(session: Session, ids: Mapping[int, int]) -> dict[int, tuple[Refusal, ...]]:
    """People with two simultaneous lessons in two roles, reported at the later row. By platform id."""
    notes: dict[int, tuple[Refusal, ...]] = dict.fromkeys(ids, ())
    conflicts_of = people_in_two_roles(session, list(ids.values()))
    others = {each.other_id for conflicts in conflicts_of.values() for each in conflicts}
    theirs = {our_id: platform_ids[0] for our_id, platform_ids in linked_platform_ids(session, LESSON, others).items()}
    theirs |= {our_id: platform_id for platform_id, our_id in ids.items()}
    for platform_id, our_id in ids.items():
        conflicts = [each for each in conflicts_of.get(our_id, ()) if theirs.get(each.other_id, 0) < platform_id]
        if conflicts:
            notes[platform_id] = (_two_roles(conflicts[0].other_id, {each.user_id for each in conflicts}, theirs),)
    return notes


def _two_roles(other_id: int, user_ids: Iterable[int], theirs: Mapping[int, int]) -> Refusal:
    users, other = sorted(user_ids), theirs.get(other_id)
    named = f"lesson {other}" if other is not None else f"lesson {other_id} made here"
    reason = f"user {', '.join(map(str, users))} has {named} at that time by another role"
    details = {"lesson": other, "users": users}
    return Refusal("two-roles", reason, "Move one of the two, if it is a mistake.", is_refused=False, details=details)
