"""What operators read is recorded once: `operator_accesses` has every request, also those of recordings and boards.

Accesses from before `operator_accesses` existed are copied into it; it already has the later ones.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TAKE_OVER = """
    WITH began AS (SELECT coalesce(min(at), now()) AS at FROM operator_accesses),
    look (admin_id, at, method, route, address) AS (
        SELECT admin_id, at, CASE action WHEN 'delete' THEN 'DELETE' ELSE 'GET' END,
               '/v1/recordings/{recording_id}' || CASE action WHEN 'playback' THEN '/playback' ELSE '' END,
               '/v1/recordings/' || recording_id || CASE action WHEN 'playback' THEN '/playback' ELSE '' END
          FROM recording_accesses
        UNION ALL
        SELECT admin_id, at, CASE action WHEN 'snapshots' THEN 'GET' ELSE 'POST' END,
               CASE WHEN page_id IS NULL THEN '/v1/whiteboard/sessions/{session_id}/'
                    ELSE '/v1/whiteboard/pages/{page_id}/' END || action,
               CASE WHEN page_id IS NULL THEN '/v1/whiteboard/sessions/' || session_id
                    ELSE '/v1/whiteboard/pages/' || page_id END || '/' || action
          FROM whiteboard_accesses
    )
    INSERT INTO operator_accesses (admin_id, action, address, at)
    SELECT look.admin_id, look.method || ' ' || look.route, look.address, look.at
      FROM look, began WHERE look.at < began.at ORDER BY look.at
"""
_AS_THEY_WERE = (
    """
    CREATE TABLE recording_accesses (
        id integer GENERATED ALWAYS AS IDENTITY,
        recording_id integer NOT NULL,
        admin_id integer NOT NULL,
        action varchar NOT NULL,
        at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_recording_accesses PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_recording_accesses_recording_id ON recording_accesses (recording_id, at)",
    """
    CREATE TABLE whiteboard_accesses (
        id integer GENERATED ALWAYS AS IDENTITY,
        session_id integer NOT NULL,
        page_id integer,
        admin_id integer NOT NULL,
        action varchar NOT NULL,
        at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_whiteboard_accesses PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_whiteboard_accesses_session_id ON whiteboard_accesses (session_id, at)",
)


def upgrade() -> None:
    op.execute(_TAKE_OVER)
    op.execute("DROP TABLE recording_accesses, whiteboard_accesses")


def downgrade() -> None:
    for statement in _AS_THEY_WERE:
        op.execute(statement)
