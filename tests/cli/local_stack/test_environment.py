from pathlib import Path

import pytest

from worker.cli.local_stack.environment import environment_for, environment_without_settings
from worker.settings import Settings


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        database_url="postgresql://u:p%40@127.0.0.1/x",
        platform_database_url="postgresql://reader:p%40@127.0.0.1/platform",
        backblaze_key_id="0000",
        backblaze_application_key="K000",
        cors_origins=("http://b.example", "http://a.example"),
        operator_departments=frozenset({"one", "two"}),
        spool_dir=Path("spool").absolute(),
        secret_key_previous=("old", "older"),
        webhook_allowed_networks=("10.0.0.0/8", "fd00::/8"),
        relay_interval=0.1,
        api_port=0,
    )

    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


def test_paths_do_not_depend_on_where_the_child_runs() -> None:
    assert environment_for(Settings(spool_dir=Path("spool")))["SPOOL_DIR"] == str(Path.cwd() / "spool")


def test_what_is_not_set_is_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("database_url", "postgresql://other/db")
    monkeypatch.setenv("OTHER", "kept")

    environment = environment_for(Settings.model_construct(redis_url="redis://x", secret_key=None))

    assert environment["REDIS_URL"] == "redis://x"
    assert environment["OTHER"] == "kept"
    assert {"database_url", "DATABASE_URL", "SECRET_KEY"}.isdisjoint(environment)


def test_a_child_that_must_know_nothing_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")

    assert "SECRET_KEY" not in environment_without_settings()
