"""What persons have open at all processes together: uploads and event streams."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE UNLOGGED TABLE limit_leases (
            id uuid NOT NULL,
            name varchar NOT NULL,
            who varchar NOT NULL,
            size bigint NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT pk_limit_leases PRIMARY KEY (id)
        )
        """
    )
    op.execute("CREATE INDEX ix_limit_leases_who ON limit_leases (who, name)")


def downgrade() -> None:
    op.execute("DROP TABLE limit_leases")
