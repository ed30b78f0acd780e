"""The platform's people: users and their profiles as tutor, student and parent."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # `worker/migrate.py` tells our revisions from another program's with the same number by this comment.
    "COMMENT ON TABLE alembic_version IS 'astegni-worker'",
    """
    CREATE TABLE users (
        id SERIAL,
        first_name VARCHAR NOT NULL,
        father_name VARCHAR,
        grandfather_name VARCHAR,
        last_name VARCHAR,
        email VARCHAR NOT NULL,
        phone VARCHAR,
        language VARCHAR NOT NULL DEFAULT 'en',
        timezone VARCHAR,
        is_active BOOLEAN NOT NULL DEFAULT true,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_users PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE tutor_profiles (
        id SERIAL,
        user_id INTEGER NOT NULL,
        username VARCHAR,
        is_active BOOLEAN NOT NULL DEFAULT true,
        CONSTRAINT pk_tutor_profiles PRIMARY KEY (id),
        CONSTRAINT uq_tutor_profiles_user_id UNIQUE (user_id),
        CONSTRAINT fk_tutor_profiles_user_id FOREIGN KEY (user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE student_profiles (
        id SERIAL,
        user_id INTEGER NOT NULL,
        username VARCHAR,
        grade_level VARCHAR,
        parent_id INTEGER[] NOT NULL DEFAULT '{}'::integer[],
        is_active BOOLEAN NOT NULL DEFAULT true,
        CONSTRAINT pk_student_profiles PRIMARY KEY (id),
        CONSTRAINT uq_student_profiles_user_id UNIQUE (user_id),
        CONSTRAINT fk_student_profiles_user_id FOREIGN KEY (user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX ix_student_profiles_parent_id ON student_profiles USING gin (parent_id)",
    """
    CREATE TABLE parent_profiles (
        id SERIAL,
        user_id INTEGER NOT NULL,
        username VARCHAR,
        is_active BOOLEAN NOT NULL DEFAULT true,
        CONSTRAINT pk_parent_profiles PRIMARY KEY (id),
        CONSTRAINT uq_parent_profiles_user_id UNIQUE (user_id),
        CONSTRAINT fk_parent_profiles_user_id FOREIGN KEY (user_id) REFERENCES users (id)
    )
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE parent_profiles, student_profiles, tutor_profiles, users")
