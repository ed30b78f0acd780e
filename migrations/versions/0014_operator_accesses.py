"""What operators read is recorded at authentication, for every route."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE operator_accesses (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        admin_id INTEGER NOT NULL,
        action VARCHAR(200) NOT NULL,
        address VARCHAR(500) NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_operator_accesses PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_operator_accesses_admin_id ON operator_accesses (admin_id, at)",
    "CREATE INDEX ix_operator_accesses_address ON operator_accesses (address, at)",
    "CREATE INDEX ix_operator_accesses_at ON operator_accesses (at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE operator_accesses")
