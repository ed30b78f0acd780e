"""`astegni doctor` names what is wrong as what it is."""

import secrets
from typing import Any

import pytest
from b2sdk.v3 import B2Api, InMemoryAccountInfo
from pydantic import SecretStr
from sqlalchemy import make_url

from devstack.emulator.credentials import Credentials
from tests.conftest import Platform, PostgresServer, Sql
from worker.cli.runfile import published_runfile
from worker.cli.service_checks import (
    Doubtful,
    check_database,
    check_platform_people,
    check_processes,
    check_storage,
)
from worker.cli.target import settings_with_stack
from worker.database import Database
from worker.errors import Misconfigured, Unavailable
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.silent_parts import expected_parts
from worker.queue_names import queue_names
from worker.settings import Settings
from worker.storage.inspection import harmful_rules, missing_cors


def test_a_database_that_refuses_is_told_from_one_that_is_away(postgres: PostgresServer, database_url: str) -> None:
    missing = postgres.url("no_such_database_here")
    with pytest.raises(Misconfigured, match="there is no such database"):
        check_database(Settings(database_url=missing))
    wrong = make_url(database_url).set(password="hush").render_as_string(hide_password=False)
    with pytest.raises(Misconfigured, match="the user or the password is wrong") as refused:
        check_database(Settings(database_url=wrong))
    assert "hush" not in refused.value.detail
    with pytest.raises(Unavailable, match="does not answer"):
        check_database(Settings(database_url="postgresql://x:hush@127.0.0.1:1/d"))
    assert check_database(Settings(database_url=database_url)).startswith("at revision")


def test_silent_processes(database: Database, database_url: str, sql: Sql) -> None:
    settings = Settings(database_url=database_url)
    assert check_processes(Settings()).startswith("DATABASE_URL is not set")
    with pytest.raises(Doubtful, match="has run within a day"):
        check_processes(settings)
    for part in expected_parts(settings):
        HeartbeatWriter(database, "a", part, interval=10).beat()
    HeartbeatWriter(database, "a", "consumer", interval=10, queues=queue_names(settings)).beat()
    assert check_processes(settings).startswith("workers and beat run")
    sql("UPDATE heartbeats SET seen_at = now() - interval '61 s' WHERE part = 'beat' OR queue = 'media'")
    silent = r"^beat has not run for \d+ s; no worker consumes the queue media\. Start"
    with pytest.raises(Misconfigured, match=silent):
        check_processes(settings)
    with pytest.raises(Doubtful, match="cannot be read"):
        check_processes(Settings(database_url="postgresql://x:hush@127.0.0.1:1/d"))


def test_the_platform(platform: Platform) -> None:
    assert check_platform_people(Settings()).startswith("PLATFORM_DATABASE_URL is not set")
    settings = Settings(platform_database_url=SecretStr(platform.url))
    with pytest.raises(Doubtful, match="1 of student_profiles belong to no account"):
        check_platform_people(settings)
    platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")
    assert check_platform_people(settings).startswith("PostgreSQL")
    platform.owner.execute("TRUNCATE whiteboard_call_history")
    with pytest.raises(Doubtful, match="not proven: no call"):
        check_platform_people(settings)
    platform.owner.execute("ALTER TABLE users RENAME COLUMN id TO number")
    with pytest.raises(Misconfigured, match=r"users\.id is missing"):
        check_platform_people(settings)
    with pytest.raises(Unavailable, match="does not answer"):
        check_platform_people(Settings(platform_database_url=SecretStr("postgresql://x:hush@127.0.0.1:1/d")))


@pytest.mark.parametrize(
    ("refusal", "meaning"),
    [
        ('FATAL:  password authentication failed for user "x"', "the user or the password is wrong"),
        ('FATAL:  role "x" does not exist', "there is no such user"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "x"', "pg_hba.conf"),
        ("FATAL:  sorry, too many clients already; remaining connection slots are reserved", "too many connections"),
        ("connection refused", None),
    ],
)
def test_how_postgresql_refuses(refusal: str, meaning: str | None) -> None:
    from worker.database import refused_login

    message = refused_login(Exception(refusal))
    assert (meaning is None and message is None) or (meaning is not None and meaning in (message or ""))


class Storage:
    """Keys and buckets on the emulator."""

    def __init__(self, b2: Credentials) -> None:
        self.b2 = b2
        self.api = B2Api(InMemoryAccountInfo())
        self.api.authorize_account(b2.key_id, b2.application_key, realm=b2.realm)
        self.bucket = self.api.create_bucket(f"test-{secrets.token_hex(8)}", "allPrivate")

    def settings(self, key_id: str | None = None, key: str | None = None) -> Settings:
        return Settings(
            backblaze_realm=self.b2.realm,
            backblaze_key_id=key_id or self.b2.key_id,
            backblaze_application_key=SecretStr(key or self.b2.application_key),
            backblaze_bucket_name=self.bucket.name,
        )


@pytest.fixture
def storage(b2: Credentials) -> Storage:
    return Storage(b2)


def test_a_key_that_cannot_write_or_share(storage: Storage) -> None:
    key = storage.api.create_key(["listBuckets", "listFiles", "readFiles", "deleteFiles"], "narrow")
    with pytest.raises(Misconfigured, match="the key lacks writeFiles, shareFiles"):
        check_storage(storage.settings(key.id_, key.application_key))


def test_a_rule_that_hides_lessons_and_a_missing_cors_rule(storage: Storage) -> None:
    with pytest.raises(Doubtful, match="CORS"):
        check_storage(storage.settings())
    cors = {
        "corsRuleName": "players",
        "allowedOrigins": ["https://astegni.example"],
        "allowedOperations": ["b2_download_file_by_name"],
        "allowedHeaders": ["range"],
        "maxAgeSeconds": 3600,
    }
    storage.api.get_bucket_by_name(storage.bucket.name).update(cors_rules=[cors])
    assert check_storage(storage.settings()).startswith("bucket ")
    rule = {"fileNamePrefix": "videos/", "daysFromUploadingToHiding": 30, "daysFromHidingToDeleting": 1}
    storage.api.get_bucket_by_name(storage.bucket.name).update(lifecycle_rules=[rule])
    with pytest.raises(Misconfigured, match="'videos/' hides files 30 days"):
        check_storage(storage.settings())


@pytest.mark.parametrize(
    ("prefix", "harmful"),
    [
        ("", True),
        ("vid", True),
        ("videos/whiteboard/", True),
        ("videos/whiteboard/session_1/", True),
        ("snapshots/", True),
        ("logs/", False),
        ("videos/other/", False),
    ],
)
def test_which_lifecycle_rules_harm(prefix: str, harmful: bool) -> None:
    rule = {"fileNamePrefix": prefix, "daysFromUploadingToHiding": 1, "daysFromHidingToDeleting": None}
    assert bool(harmful_rules([rule])) == harmful
    assert harmful_rules([{**rule, "daysFromUploadingToHiding": None}]) == []


def test_which_cors_rules_do() -> None:
    good = {"allowedOperations": ["b2_download_file_by_name"], "allowedHeaders": ["Range"]}
    assert missing_cors([good]) == []
    assert missing_cors([{**good, "allowedHeaders": ["*"]}]) == []
    for wrong in ({}, {**good, "allowedHeaders": None}, {**good, "allowedOperations": ["b2_upload_file"]}):
        assert len(missing_cors([wrong])) == 1


def test_what_the_environment_does_not_name_is_that_of_the_running_stack(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert settings_with_stack() == (Settings(), None)
    b2 = {"realm": "http://b2", "key_id": "k", "application_key": "s", "bucket": "b"}
    facts = {"api": "http://api", "database_url": "postgresql://d", "redis_url": "redis://r", "b2": b2, "mailbox": None}
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    with published_runfile(facts):
        settings, stack = settings_with_stack()
    assert stack == "http://api"
    assert (settings.database_url, settings.redis_url) == ("postgresql://d", "redis://mine")
    assert (settings.backblaze_key_id, settings.backblaze_bucket_name) == ("k", "b")
