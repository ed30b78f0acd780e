"""The ledger: jobs, the end of each attempt, and the responses stored under idempotency keys."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE jobs (
        id UUID NOT NULL DEFAULT gen_random_uuid(),
        kind VARCHAR NOT NULL,
        queue VARCHAR NOT NULL DEFAULT 'default',
        principal VARCHAR NOT NULL DEFAULT 'system',
        subject VARCHAR,
        args JSONB NOT NULL DEFAULT '{}'::jsonb,
        state VARCHAR NOT NULL DEFAULT 'queued',
        priority INTEGER NOT NULL DEFAULT 5,
        attempt INTEGER NOT NULL DEFAULT 0,
        max_attempts INTEGER NOT NULL DEFAULT 5,
        time_limit INTEGER NOT NULL DEFAULT 270,
        run_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        unique_key VARCHAR,
        run_token UUID,
        worker VARCHAR,
        lease_until TIMESTAMPTZ,
        publications INTEGER NOT NULL DEFAULT 0,
        cancel_requested_at TIMESTAMPTZ,
        progress INTEGER NOT NULL DEFAULT 0,
        progress_note VARCHAR,
        progress_seq INTEGER NOT NULL DEFAULT 0,
        result JSONB,
        error JSONB,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        published_at TIMESTAMPTZ,
        started_at TIMESTAMPTZ,
        finished_at TIMESTAMPTZ,
        CONSTRAINT pk_jobs PRIMARY KEY (id),
        CONSTRAINT ck_jobs_state CHECK (state IN (
            'queued', 'published', 'running', 'retryable', 'succeeded', 'failed', 'cancelled', 'dead'
        )),
        CONSTRAINT ck_jobs_progress CHECK (progress BETWEEN 0 AND 100),
        CONSTRAINT ck_jobs_finished CHECK (
            (finished_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'cancelled', 'dead'))
        ),
        CONSTRAINT ck_jobs_run_token CHECK ((run_token IS NOT NULL) = (state = 'running'))
    ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01)
    """,
    "CREATE INDEX ix_jobs_due ON jobs (priority, run_at, id) WHERE state IN ('queued', 'retryable')",
    "CREATE INDEX ix_jobs_lease ON jobs (lease_until) WHERE state IN ('published', 'running')",
    "CREATE INDEX ix_jobs_prune ON jobs (finished_at) WHERE finished_at IS NOT NULL",
    "CREATE INDEX ix_jobs_subject ON jobs (subject, created_at)",
    "CREATE INDEX ix_jobs_principal ON jobs (principal, created_at, id)",
    "CREATE INDEX ix_jobs_listing ON jobs (created_at, id)",
    "CREATE INDEX ix_jobs_state ON jobs (state, created_at, id)",
    "CREATE INDEX ix_jobs_kind ON jobs (kind, created_at, id)",
    """
    CREATE UNIQUE INDEX uq_jobs_unique_key ON jobs (unique_key)
        WHERE unique_key IS NOT NULL AND state IN ('queued', 'published', 'running', 'retryable')
    """,
    """
    CREATE TABLE job_attempts (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        job_id UUID NOT NULL,
        attempt INTEGER NOT NULL,
        run_token UUID NOT NULL,
        worker VARCHAR NOT NULL,
        started_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        outcome VARCHAR NOT NULL,
        error JSONB,
        CONSTRAINT pk_job_attempts PRIMARY KEY (id),
        CONSTRAINT uq_job_attempts_run_token UNIQUE (run_token),
        CONSTRAINT ck_job_attempts_outcome CHECK (outcome IN (
            'succeeded', 'retryable', 'failed', 'cancelled', 'dead', 'worker-lost', 'released'
        )),
        CONSTRAINT fk_job_attempts_job_id FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_job_attempts_job_id ON job_attempts (job_id)",
    # The outcome of an attempt is evidence: a worker that was declared lost and resumes must not rewrite it.
    """
    CREATE FUNCTION job_attempts_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'job_attempts is append-only' USING ERRCODE = 'restrict_violation';
    END
    $$
    """,
    """
    CREATE TRIGGER job_attempts_refuse_update BEFORE UPDATE ON job_attempts
        FOR EACH ROW EXECUTE FUNCTION job_attempts_refuse_update()
    """,
    """
    CREATE TABLE idempotency_keys (
        principal VARCHAR NOT NULL,
        key VARCHAR NOT NULL,
        fingerprint VARCHAR NOT NULL,
        status INTEGER NOT NULL,
        headers JSONB NOT NULL DEFAULT '{}'::jsonb,
        body JSONB NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (principal, key)
    )
    """,
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys, job_attempts, jobs")
    op.execute("DROP FUNCTION job_attempts_refuse_update()")
