"""The number of bytes of strokes of each page, so that a board is bounded without reading it."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE whiteboard_pages ADD COLUMN stroke_bytes bigint NOT NULL DEFAULT 0")
    op.execute(
        """
        UPDATE whiteboard_pages AS page SET stroke_bytes = stroke.bytes
          FROM (SELECT page_id, sum(octet_length(stroke_data::text)) AS bytes
                  FROM whiteboard_canvas_data GROUP BY page_id) AS stroke
         WHERE stroke.page_id = page.id
        """
    )
    # A person's live jobs of a kind are counted with each further order.
    op.execute(
        """
        CREATE INDEX ix_jobs_live ON jobs (principal, kind)
         WHERE state IN ('queued', 'published', 'running', 'retryable')
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_jobs_live")
    op.execute("ALTER TABLE whiteboard_pages DROP COLUMN stroke_bytes")
