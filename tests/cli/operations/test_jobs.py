"""`astegni jobs list` as a table."""

from pathlib import Path

from tests.cli.conftest import CallCommand
from tests.conftest import Sql
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import PruneLedger
from worker.jobs.runs.cancel import cancel_job


def test_a_reason_is_shown_as_it_is(
    database: Database, database_url: str, sql: Sql, tmp_path: Path, call_command: CallCommand
) -> None:
    detail = "[mov,mp4 @ 0x1] [red]no header[/] in [/srv/spool/1.webm], asked [fe80::1]"
    with database.transaction() as session:
        cancel_job(session, {}, enqueue(session, PruneLedger()))
    sql("UPDATE jobs SET error = jsonb_build_object('detail', CAST(:detail AS text))", detail=detail)
    environment = environment_without_settings() | {"DATABASE_URL": database_url, "XDG_STATE_HOME": str(tmp_path)}

    listed = call_command(["jobs", "list", "--routine"], environment | {"COLUMNS": "400"}, tmp_path)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert detail in listed.stdout
