"""What the database recorded: state changes of jobs, effects of orders, and violations."""

import threading
from typing import Any

import psycopg
from psycopg.rows import dict_row

# `before` and `after` are states. A job that had ended and changes its state, or a progress note (orders write their
# token) that is not of the run in hand, is a violation.
_SETUP = """
CREATE TABLE chaos_effects (job_id uuid, token uuid, attempt int);
CREATE TABLE chaos_history (
    id bigint GENERATED ALWAYS AS IDENTITY, job_id uuid, before text, after text, token uuid, worker text,
    attempt int, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE chaos_violations (job_id uuid, said text, at timestamptz DEFAULT clock_timestamp());

CREATE FUNCTION chaos_watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IS DISTINCT FROM NEW.state OR OLD.run_token IS DISTINCT FROM NEW.run_token THEN
        INSERT INTO chaos_history (job_id, before, after, token, worker, attempt)
        VALUES (NEW.id, OLD.state, NEW.state, coalesce(NEW.run_token, OLD.run_token), NEW.worker, NEW.attempt);
    END IF;
    IF OLD.finished_at IS NOT NULL THEN
        INSERT INTO chaos_violations (job_id, said) VALUES (NEW.id, 'changed after its end: ' || OLD.state
            || ' to ' || NEW.state);
    END IF;
    IF NEW.kind LIKE 'chaos.%' AND NEW.state = 'running' AND NEW.progress_note IS NOT NULL
       AND NEW.progress_note <> NEW.run_token::text THEN
        INSERT INTO chaos_violations (job_id, said) VALUES (NEW.id, 'progress of a stale run');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_watch AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION chaos_watch();
"""


class Watchdog:
    """Asks the database at `url`, through one connection that is opened again when it was lost."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._turn = threading.Lock()

    def set_up(self) -> None:
        """Begin to watch."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(_SETUP)

    def ask(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query."""
        with self._turn:
            if self._connection is not None:
                try:
                    return self._rows(self._connection, statement, values)
                except psycopg.OperationalError:
                    self._connection.close()
            # To connect costs ten times what most of these queries cost, and tests ask every 50 ms.
            self._connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
            return self._rows(self._connection, statement, values)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()

    @staticmethod
    def _rows(
        connection: psycopg.Connection[dict[str, Any]], statement: str, values: tuple[Any, ...]
    ) -> list[dict[str, Any]]:
        return connection.execute(statement, values or None).fetchall()

    def violations(self) -> list[str]:
        """What must not be: writes after the end, stale progress, two effects, an effect of a run that failed."""
        sentences = [f"{row['job_id']} {row['said']}" for row in self.ask("SELECT job_id, said FROM chaos_violations")]
        sentences += [
            f"{row['job_id']} has {row['n']} effects"
            for row in self.ask(
                """SELECT j.id AS job_id, count(e.token) AS n FROM jobs j LEFT JOIN chaos_effects e ON e.job_id = j.id
                    WHERE j.kind LIKE 'chaos.%' GROUP BY j.id
                   HAVING count(e.token) <> CASE WHEN j.state = 'succeeded' THEN 1 ELSE 0 END"""
            )
        ]
        sentences += [
            f"{row['job_id']} took an effect of a run that did not succeed"
            for row in self.ask(
                """SELECT e.job_id FROM chaos_effects e WHERE NOT EXISTS (
                    SELECT 1 FROM job_attempts a
                     WHERE a.job_id = e.job_id AND a.run_token = e.token AND a.outcome = 'succeeded')"""
            )
        ]
        sentences += [
            f"{row['job_id']} ended {row['n']} times"
            for row in self.ask(
                """SELECT job_id, count(*) AS n FROM chaos_history
                    WHERE after IN ('succeeded', 'failed', 'cancelled', 'dead') GROUP BY job_id HAVING count(*) <> 1"""
            )
        ]
        return sentences
