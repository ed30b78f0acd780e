"""Rows of the platform's database are imported: which became which, what was refused, how far they were read."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE platform_links (
            kind VARCHAR(40) NOT NULL,
            platform_id BIGINT NOT NULL,
            id BIGINT,
            digest BYTEA NOT NULL,
            CONSTRAINT pk_platform_links PRIMARY KEY (kind, platform_id)
        )
        """
    )
    op.execute("CREATE INDEX ix_platform_links_kind_id ON platform_links (kind, id)")
    op.execute(
        """
        CREATE TABLE platform_refusals (
            kind VARCHAR(40) NOT NULL,
            platform_id BIGINT NOT NULL,
            code VARCHAR(60) NOT NULL,
            is_refused BOOLEAN NOT NULL,
            reason TEXT NOT NULL,
            remedy TEXT NOT NULL,
            details JSONB DEFAULT '{}'::jsonb NOT NULL,
            first_seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
            last_seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
            CONSTRAINT pk_platform_refusals PRIMARY KEY (kind, platform_id, code)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE platform_pulls (
            kind VARCHAR(40) NOT NULL,
            changed_at VARCHAR(40),
            settled_id BIGINT DEFAULT 0 NOT NULL,
            signature VARCHAR(200),
            pulled_at TIMESTAMPTZ,
            compared_at TIMESTAMPTZ,
            CONSTRAINT pk_platform_pulls PRIMARY KEY (kind)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE platform_pulls, platform_refusals, platform_links")
