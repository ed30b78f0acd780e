"""The platform's people: one user, and a profile for each role they play.

The platform owns these tables. Only what the worker reads is kept here, and only `id` and `user_id` are required;
everything else has a default or may be NULL: people sign up without a name, or with a phone instead of an e-mail.
"""

from datetime import datetime

from sqlalchemy import ARRAY, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at


class User(Base):
    """A person with an account. Names, e-mail and phone are kept here and nowhere else."""

    __tablename__ = "users"

    # The `sub` of a token, as text there.
    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str | None]
    # An Ethiopian name is first, father's, grandfather's name; an international one has a last name.
    father_name: Mapped[str | None]
    grandfather_name: Mapped[str | None]
    last_name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    # The platform's word for the language of its pages, e.g. `en` or `am`. Unchecked: the platform may add others.
    language: Mapped[str] = mapped_column(server_default="en")
    # IANA zone, e.g. `Africa/Addis_Ababa`; NULL: the setting TIMEZONE.
    timezone: Mapped[str | None]
    # False: refused, whatever their token says.
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = created_at()
    # When the row was last read from PLATFORM_DATABASE_URL; NULL: it does not come from there.
    platform_read_at: Mapped[datetime | None]


def _one_active_profile(table: str) -> Index:
    """A person has one active profile of a kind, and possibly earlier ones that were given up."""
    return Index(f"uq_{table}_user_id", "user_id", unique=True, postgresql_where=text("is_active"))


class TutorProfile(Base):
    """A user who teaches."""

    __tablename__ = "tutor_profiles"

    # `role_ids.tutor` of a token, as text there.
    id: Mapped[int] = mapped_column(primary_key=True)
    # No cascade: a user who still has a profile cannot be deleted, as on the platform.
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    username: Mapped[str | None]
    # False: given up; a token that still names it is accepted without it.
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (_one_active_profile("tutor_profiles"),)


class StudentProfile(Base):
    """A user who learns."""

    __tablename__ = "student_profiles"

    # `role_ids.student` of a token, as text there.
    id: Mapped[int] = mapped_column(primary_key=True)
    # No cascade: see TutorProfile.
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    username: Mapped[str | None]
    grade_level: Mapped[str | None]
    # parent_profiles.id of every parent: the only place that says whose child this is. An array has no foreign key.
    parent_id: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'::integer[]"))
    # False: given up; a token that still names it is accepted without it.
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))

    # GIN serves `parent_id @> ARRAY[7]`: the children of a parent.
    __table_args__ = (
        Index("ix_student_profiles_parent_id", "parent_id", postgresql_using="gin"),
        _one_active_profile("student_profiles"),
    )


class ParentProfile(Base):
    """A user whose children learn."""

    __tablename__ = "parent_profiles"

    # `role_ids.parent` of a token, as text there.
    id: Mapped[int] = mapped_column(primary_key=True)
    # No cascade: see TutorProfile.
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    username: Mapped[str | None]
    # False: given up; a token that still names it is accepted without it.
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))

    __table_args__ = (_one_active_profile("parent_profiles"),)


ProfileTable = type[TutorProfile] | type[StudentProfile] | type[ParentProfile]
# By role.
PROFILE_TABLES: dict[str, ProfileTable] = {"tutor": TutorProfile, "student": StudentProfile, "parent": ParentProfile}
