"""A booking that a tutor creates waits for the student's consent; until then no student may have its id."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATUSES_BEFORE = "'active', 'paused', 'completed', 'cancelled'"
_STATUSES = "'pending', 'active', 'paused', 'completed', 'cancelled', 'declined'"
_KINDS_BEFORE = (
    "'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked', 'request-received', "
    "'request-accepted', 'request-rejected'"
)
_KINDS_AFTER = "'recording-ready', 'channel-code', 'channel-disabled', 'test'"
_NEW_KINDS = "'booking-offered', 'booking-accepted', 'booking-ended'"


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE tutor_student_bookings
            DROP CONSTRAINT ck_tutor_student_bookings_status,
            DROP CONSTRAINT fk_tutor_student_bookings_student_id,
            ADD CONSTRAINT ck_tutor_student_bookings_status CHECK (status IN ({_STATUSES})),
            ADD COLUMN agreed_student_id INTEGER GENERATED ALWAYS AS
                (CASE WHEN status <> 'pending' AND status <> 'declined' THEN student_id END) STORED,
            ADD CONSTRAINT fk_tutor_student_bookings_agreed_student_id
                FOREIGN KEY (agreed_student_id) REFERENCES student_profiles (id)
    """)
    op.execute("CREATE INDEX ix_tutor_student_bookings_agreed_student_id ON tutor_student_bookings (agreed_student_id)")
    _kinds(f"{_KINDS_BEFORE}, {_NEW_KINDS}, {_KINDS_AFTER}")


def downgrade() -> None:
    # A booking without consent must not be in the older table: it would be an enrolment there.
    op.execute("DELETE FROM tutor_student_bookings WHERE status IN ('pending', 'declined')")
    op.execute(f"""
        ALTER TABLE tutor_student_bookings
            DROP COLUMN agreed_student_id,
            DROP CONSTRAINT ck_tutor_student_bookings_status,
            ADD CONSTRAINT ck_tutor_student_bookings_status CHECK (status IN ({_STATUSES_BEFORE})),
            ADD CONSTRAINT fk_tutor_student_bookings_student_id
                FOREIGN KEY (student_id) REFERENCES student_profiles (id)
    """)
    for table in ("deliveries", "notifications"):
        op.execute(f"DELETE FROM {table} WHERE kind IN ({_NEW_KINDS})")  # noqa: S608 - our own words
    _kinds(f"{_KINDS_BEFORE}, {_KINDS_AFTER}")


def _kinds(kinds: str) -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind CHECK (kind IN ({kinds}))")
