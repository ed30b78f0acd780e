"""What doctor reports about B2."""

import secrets
import socket

import pytest
from b2sdk.v3 import B2Api, InMemoryAccountInfo
from pydantic import SecretStr

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings, Sql
from worker.cli.doctor.check_warning import CheckWarning
from worker.cli.doctor.storage import check_storage
from worker.errors import Misconfigured
from worker.settings import Settings
from worker.storage.errors import StorageRefused, StorageUnavailable
from worker.storage.inspection import harmful_rules, missing_cors
from worker.storage.ownership import ForeignBucket
from worker.workflows.own_bucket import check_before_start


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
    with pytest.raises(CheckWarning, match="CORS"):
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


def test_a_public_bucket(storage: Storage) -> None:
    storage.bucket.update(bucket_type="allPublic")
    with pytest.raises(StorageRefused, match="is public"):
        check_storage(storage.settings())


def test_the_bucket_of_another_installation(
    settings: MakeSettings, database_url: str, b2: Credentials, sql: Sql
) -> None:
    mine = settings()
    check_before_start(mine)
    sql("UPDATE installation SET id = gen_random_uuid()")
    # Also where something else is doubtful: the bucket has no CORS rule.
    with pytest.raises(ForeignBucket, match="take-over"):
        check_storage(mine)


def test_sweeps_that_wait_after_a_restore(storage: Storage, settings: MakeSettings, sql: Sql) -> None:
    of_database = settings(backblaze_bucket_name=storage.bucket.name)
    with pytest.raises(CheckWarning) as before:
        check_storage(of_database)
    sql("UPDATE installation SET identity = '1:2:3'")
    with pytest.raises(
        CheckWarning, match=r"sweeps wait: The tables of this database were restored.*`astegni backup check`"
    ):
        check_storage(of_database)
    assert "sweeps" not in before.value.detail


def test_one_that_accepts_and_never_answers_is_given_up(storage: Storage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        realm = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = storage.settings().model_copy(update={"backblaze_realm": realm})
        with pytest.raises(StorageUnavailable, match="B2RequestTimeout"):
            check_storage(settings, seconds=0.01)
