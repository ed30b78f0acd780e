"""How much of their rates persons and addresses have used."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE UNLOGGED TABLE limit_counters (
            rate varchar NOT NULL,
            who varchar NOT NULL,
            free_at timestamptz NOT NULL,
            CONSTRAINT pk_limit_counters PRIMARY KEY (rate, who)
        ) WITH (fillfactor = 50)
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE limit_counters")
