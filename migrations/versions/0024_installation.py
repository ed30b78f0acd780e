"""The database has an id of its own, which the bucket names as its owner."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE installation (
            id UUID DEFAULT gen_random_uuid() NOT NULL,
            is_only BOOLEAN DEFAULT true NOT NULL,
            CONSTRAINT pk_installation PRIMARY KEY (id),
            CONSTRAINT uq_installation_is_only UNIQUE (is_only),
            CONSTRAINT ck_installation_is_only CHECK (is_only)
        )
        """
    )
    op.execute("INSERT INTO installation DEFAULT VALUES")


def downgrade() -> None:
    op.execute("DROP TABLE installation")
