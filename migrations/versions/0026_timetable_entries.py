"""Personal timetables: entries with one alarm each, and reminders of them."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_KINDS_BEFORE = "'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked'"
_KINDS_AFTER = (
    "'request-received', 'request-accepted', 'request-rejected', 'booking-offered', 'booking-accepted', "
    "'booking-ended', 'recording-ready', 'recording-failed', 'channel-code', 'channel-disabled', 'test'"
)


def upgrade() -> None:
    _create_entries()
    op.execute("CREATE INDEX ix_timetable_entries_user_id ON timetable_entries (user_id, id)")
    op.execute(
        """
        CREATE INDEX ix_timetable_entries_planned_at ON timetable_entries (planned_at)
            WHERE (alarm_enabled AND status = 'active') OR planned_at IS NULL
        """
    )
    # Owner: schedules. What a message about an entry says, and whether it still rings.
    op.execute(
        """
        CREATE VIEW timetable AS
        SELECT id, title, timezone, alarm_enabled AND status = 'active' AS rings,
               end_time - start_time + CASE WHEN end_time > start_time THEN interval '0' ELSE interval '1 day' END
                   AS lasts
          FROM timetable_entries
        """
    )
    op.execute(
        """
        ALTER TABLE deliveries ADD COLUMN entry_id INTEGER,
            ADD CONSTRAINT fk_deliveries_entry_id
                FOREIGN KEY (entry_id) REFERENCES timetable_entries (id) ON DELETE CASCADE
        """
    )
    op.execute("CREATE INDEX ix_deliveries_entry_id ON deliveries (entry_id)")
    _kinds(f"{_KINDS_BEFORE}, 'entry-reminder', {_KINDS_AFTER}")


def downgrade() -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"DELETE FROM {table} WHERE kind = 'entry-reminder'")  # noqa: S608 - our own words
    _kinds(f"{_KINDS_BEFORE}, {_KINDS_AFTER}")
    op.execute("ALTER TABLE deliveries DROP COLUMN entry_id")
    op.execute("DROP VIEW timetable")
    op.execute("DROP TABLE timetable_entries")


def _kinds(kinds: str) -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind CHECK (kind IN ({kinds}))")


def _create_entries() -> None:
    op.execute(
        """
        CREATE TABLE timetable_entries (
            id SERIAL NOT NULL,
            user_id INTEGER NOT NULL,
            role VARCHAR(20),
            title VARCHAR(255) NOT NULL,
            description TEXT,
            priority_level VARCHAR(20) DEFAULT 'medium' NOT NULL,
            schedule_type VARCHAR(20) DEFAULT 'recurring' NOT NULL,
            year INTEGER NOT NULL,
            months VARCHAR[] DEFAULT '{}'::character varying[] NOT NULL,
            days VARCHAR[] DEFAULT '{}'::character varying[] NOT NULL,
            specific_dates DATE[] DEFAULT '{}'::date[] NOT NULL,
            start_time TIME NOT NULL,
            end_time TIME NOT NULL,
            timezone VARCHAR NOT NULL,
            notes TEXT,
            status VARCHAR(20) DEFAULT 'active' NOT NULL,
            is_featured BOOLEAN DEFAULT false NOT NULL,
            alarm_enabled BOOLEAN DEFAULT false NOT NULL,
            alarm_before_minutes INTEGER,
            notification_browser BOOLEAN DEFAULT false NOT NULL,
            notification_sound BOOLEAN DEFAULT false NOT NULL,
            created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
            updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
            sequence INTEGER DEFAULT 0 NOT NULL,
            planned_at TIMESTAMPTZ,
            CONSTRAINT pk_timetable_entries PRIMARY KEY (id),
            CONSTRAINT fk_timetable_entries_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
            CONSTRAINT ck_timetable_entries_role CHECK (role IN ('tutor', 'student', 'parent')),
            CONSTRAINT ck_timetable_entries_priority_level
                CHECK (priority_level IN ('low', 'medium', 'high', 'urgent', 'important')),
            CONSTRAINT ck_timetable_entries_schedule_type CHECK (schedule_type IN ('recurring', 'specific')),
            CONSTRAINT ck_timetable_entries_status CHECK (status IN ('active', 'draft', 'completed', 'cancelled')),
            CONSTRAINT ck_timetable_entries_year CHECK (year BETWEEN 1900 AND 2199),
            CONSTRAINT ck_timetable_entries_alarm_before_minutes CHECK (alarm_before_minutes BETWEEN 0 AND 40320)
        )
        """
    )
