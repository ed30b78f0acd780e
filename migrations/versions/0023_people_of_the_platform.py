"""People are read from the platform: some have no name or e-mail, some have replaced a profile."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_PROFILES = ("tutor_profiles", "student_profiles", "parent_profiles")


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE users
            ALTER COLUMN first_name DROP NOT NULL,
            ALTER COLUMN email DROP NOT NULL,
            ADD COLUMN platform_read_at TIMESTAMPTZ
        """
    )
    for table in _PROFILES:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT uq_{table}_user_id")
        op.execute(f"CREATE UNIQUE INDEX uq_{table}_user_id ON {table} (user_id) WHERE is_active")
        op.execute(f"CREATE INDEX ix_{table}_user_id ON {table} (user_id)")


def downgrade() -> None:
    """Fails while a person has two profiles of a kind: the table as it was cannot hold them."""
    for table in _PROFILES:
        op.execute(f"DROP INDEX uq_{table}_user_id, ix_{table}_user_id")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_user_id UNIQUE (user_id)")
    op.execute("UPDATE users SET first_name = coalesce(first_name, ''), email = coalesce(email, '')")
    op.execute(
        """
        ALTER TABLE users
            ALTER COLUMN first_name SET NOT NULL,
            ALTER COLUMN email SET NOT NULL,
            DROP COLUMN platform_read_at
        """
    )
