"""The servers that commands use."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from tests.cli.conftest import CallCommand
from tests.conftest import Sql
from worker.cli.local_stack.environment import environment_without_settings
from worker.cli.runfile import published_runfile
from worker.cli.target import database_error, settings_with_stack
from worker.database import Database
from worker.settings import Settings


def test_what_the_environment_does_not_name_is_that_of_the_running_stack(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert settings_with_stack() == (Settings(), None)
    b2 = {"realm": "http://b2", "key_id": "k", "application_key": "s", "bucket": "b"}
    facts: dict[str, Any] = {"api": "http://api", "database_url": "postgresql://d", "redis_url": "redis://r", "b2": b2}
    facts["mailbox"] = {"smtp": "127.0.0.1:2525", "url": "http://mail"}
    facts["spool_dir"] = "/data/spool"
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    with published_runfile(facts):
        settings, stack = settings_with_stack()
    assert stack == "http://api"
    assert (settings.database_url, settings.redis_url) == ("postgresql://d", "redis://mine")
    assert (settings.smtp_host, settings.smtp_port) == ("127.0.0.1", 2525)
    assert settings.spool_dir == Path("/data/spool")
    assert (settings.backblaze_key_id, settings.backblaze_bucket_name) == ("k", "b")


def test_a_role_without_rights_is_not_told_to_migrate(
    database: Database, database_url: str, tmp_path: Path, call_command: CallCommand, sql: Sql
) -> None:
    name = f"reader_{make_url(database_url).database}"
    sql(f"CREATE ROLE {name} LOGIN PASSWORD 'hush'")
    try:
        reader = make_url(database_url).set(username=name, password="hush").render_as_string(hide_password=False)
        environment = environment_without_settings() | {"DATABASE_URL": reader, "XDG_STATE_HOME": str(tmp_path)}
        listed = call_command(["jobs", "list"], environment, tmp_path)
    finally:
        sql(f"DROP ROLE {name}")
    assert listed.returncode == 1
    assert "permission denied for table jobs" in listed.stderr
    assert "migrate" not in listed.stderr


def test_a_lock_is_not_an_outage(database: Database) -> None:
    run_id = {"id": 1}
    lock = text("SELECT pg_advisory_xact_lock(:id)")
    with database.transaction() as holder:
        holder.execute(lock, run_id)
        with pytest.raises(OperationalError) as waited, database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '1ms'"))
            session.execute(lock, run_id)
    error = database_error(waited.value)
    assert (error.code, error.retryable) == ("busy", True)
