"""Reminders and other messages: preferences, alarms, channels, deliveries, and what is shown in the app."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KINDS = """'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'request-received', 'request-accepted',
                'request-rejected', 'recording-ready', 'channel-code', 'channel-disabled', 'test'"""

TABLES = (
    """
    CREATE TABLE notification_preferences (
        user_id INTEGER NOT NULL,
        alarms INTEGER[] DEFAULT '{1440,15}'::integer[] NOT NULL,
        channels VARCHAR[] DEFAULT '{email,in_app}'::character varying[] NOT NULL,
        fallback VARCHAR[] DEFAULT '{}'::character varying[] NOT NULL,
        language VARCHAR(10),
        timezone VARCHAR,
        calendar VARCHAR(20) DEFAULT 'gregorian' NOT NULL,
        quiet_start TIME,
        quiet_end TIME,
        updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        CONSTRAINT pk_notification_preferences PRIMARY KEY (user_id),
        CONSTRAINT ck_notification_preferences_calendar CHECK (calendar IN ('gregorian', 'ethiopian')),
        CONSTRAINT ck_notification_preferences_quiet CHECK ((quiet_start IS NULL) = (quiet_end IS NULL)),
        CONSTRAINT fk_notification_preferences_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE lesson_alarms (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        schedule_id INTEGER,
        series_id INTEGER,
        minutes_before INTEGER,
        channels VARCHAR[],
        fallback VARCHAR[],
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        CONSTRAINT pk_lesson_alarms PRIMARY KEY (id),
        CONSTRAINT ck_lesson_alarms_subject CHECK ((schedule_id IS NULL) <> (series_id IS NULL)),
        CONSTRAINT ck_lesson_alarms_minutes_before CHECK (minutes_before BETWEEN 0 AND 40320),
        CONSTRAINT uq_lesson_alarms_schedule_id_user_id_minutes_before UNIQUE (schedule_id, user_id, minutes_before),
        CONSTRAINT uq_lesson_alarms_series_id_user_id_minutes_before UNIQUE (series_id, user_id, minutes_before),
        CONSTRAINT fk_lesson_alarms_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT fk_lesson_alarms_schedule_id
            FOREIGN KEY (schedule_id) REFERENCES tutor_schedules (id) ON DELETE CASCADE,
        CONSTRAINT fk_lesson_alarms_series_id FOREIGN KEY (series_id) REFERENCES schedule_series (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_lesson_alarms_user_id ON lesson_alarms (user_id)",
    """
    CREATE TABLE notification_channels (
        id SERIAL NOT NULL,
        user_id INTEGER NOT NULL,
        kind VARCHAR(20) NOT NULL,
        address BYTEA NOT NULL,
        label VARCHAR(100) NOT NULL,
        confirmed_at TIMESTAMPTZ,
        code_hash VARCHAR(64),
        code_expires_at TIMESTAMPTZ,
        code_attempts INTEGER DEFAULT 0 NOT NULL,
        disabled_at TIMESTAMPTZ,
        disabled_reason VARCHAR(200),
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        CONSTRAINT pk_notification_channels PRIMARY KEY (id),
        CONSTRAINT ck_notification_channels_kind CHECK (kind IN ('email', 'webhook', 'apprise')),
        CONSTRAINT fk_notification_channels_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_notification_channels_user_id ON notification_channels (user_id)",
    f"""
    CREATE TABLE deliveries (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        kind VARCHAR(40) NOT NULL,
        user_id INTEGER NOT NULL,
        channel VARCHAR(20) NOT NULL,
        schedule_id INTEGER,
        minutes_before INTEGER,
        starts_at TIMESTAMPTZ,
        data JSONB DEFAULT '{{}}'::jsonb NOT NULL,
        key VARCHAR(200) NOT NULL,
        due_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ,
        state VARCHAR(20) DEFAULT 'pending' NOT NULL,
        attempts INTEGER DEFAULT 0 NOT NULL,
        send_token UUID,
        lease_until TIMESTAMPTZ,
        reason VARCHAR(200),
        sent_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        CONSTRAINT pk_deliveries PRIMARY KEY (id),
        CONSTRAINT ck_deliveries_kind CHECK (kind IN ({_KINDS})),
        CONSTRAINT ck_deliveries_state
            CHECK (state IN ('pending', 'sending', 'sent', 'dropped', 'cancelled', 'failed')),
        CONSTRAINT uq_deliveries_key_user_id_channel UNIQUE (key, user_id, channel),
        CONSTRAINT fk_deliveries_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT fk_deliveries_schedule_id
            FOREIGN KEY (schedule_id) REFERENCES tutor_schedules (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_deliveries_due ON deliveries (due_at, id) WHERE state IN ('pending', 'sending')",
    """
    CREATE INDEX ix_deliveries_over ON deliveries (updated_at) WHERE state NOT IN ('pending', 'sending')
    """,
    "CREATE INDEX ix_deliveries_schedule_id ON deliveries (schedule_id, user_id)",
    "CREATE INDEX ix_deliveries_user_id ON deliveries (user_id)",
    f"""
    CREATE TABLE notifications (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        user_id INTEGER NOT NULL,
        kind VARCHAR(40) NOT NULL,
        title VARCHAR(255) NOT NULL,
        message TEXT NOT NULL,
        data JSONB DEFAULT '{{}}'::jsonb NOT NULL,
        delivery_id BIGINT,
        created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        read_at TIMESTAMPTZ,
        CONSTRAINT pk_notifications PRIMARY KEY (id),
        CONSTRAINT ck_notifications_kind CHECK (kind IN ({_KINDS})),
        CONSTRAINT fk_notifications_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT uq_notifications_delivery_id UNIQUE (delivery_id)
    )
    """,
    "CREATE INDEX ix_notifications_unread ON notifications (user_id) WHERE read_at IS NULL",
    "CREATE INDEX ix_notifications_user_id ON notifications (user_id, id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE notifications, deliveries, notification_channels, lesson_alarms, notification_preferences")
