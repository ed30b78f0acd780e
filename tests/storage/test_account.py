"""Opening the account: settings, keys, a new bucket, and an unavailable Backblaze."""

import secrets
import socket
from collections.abc import Callable

import pytest
from b2sdk.v3 import B2Api, Bucket

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings
from tests.storage.faulty_proxy import Answer, FaultyProxy
from worker.errors import AstegniError, Misconfigured
from worker.settings import Settings
from worker.storage.bucket import LIFECYCLE_RULE
from worker.storage.errors import StorageRefused, StorageUnavailable
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]


def test_from_settings(b2: Credentials, settings: MakeSettings) -> None:
    assert ObjectStore.from_settings(settings()).stat("nothing") is None


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(Misconfigured, match="BACKBLAZE_KEY_ID"):
        ObjectStore.from_settings(Settings())


def test_making_a_store_sends_nothing(make_store: MakeStore, sent: list[str]) -> None:
    make_store(realm="http://127.0.0.1:1")
    assert sent == []


@pytest.mark.parametrize("wrong", ["key_id", "application_key"])
def test_wrong_credentials_are_refused(make_store: MakeStore, b2: Credentials, wrong: str) -> None:
    store = make_store(**{wrong: "K000-very-secret"})
    with pytest.raises(StorageRefused) as caught:
        store.stat("x")
    assert not caught.value.retryable
    assert_tells_no_secret(caught.value, b2, "K000-very-secret")


def test_a_bucket_of_others_is_refused(make_store: MakeStore, admin: B2Api, bucket: Bucket) -> None:
    with pytest.raises(StorageRefused, match="no-such-bucket"):
        make_store(bucket="no-such-bucket").stat("x")
    key = admin.create_key(["listBuckets", "readFiles"], "limited", bucket_ids=[bucket.id_])
    limited = make_store(key_id=key.id_, application_key=key.application_key, bucket="astegni-media")
    with pytest.raises(StorageRefused, match="restricted"):
        limited.stat("x")


def test_nobody_there(make_store: MakeStore, b2: Credentials) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    store = make_store(realm=f"http://127.0.0.1:{port}")
    with pytest.raises(StorageUnavailable) as caught:
        store.stat("x")
    assert caught.value.retryable
    assert_tells_no_secret(caught.value, b2)


def test_a_busy_backblaze_is_unavailable(make_store: MakeStore, proxy: FaultyProxy, slept: list[float]) -> None:
    proxy.always("b2_authorize_account", Answer(503, "service_unavailable"))
    with pytest.raises(StorageUnavailable, match="service_unavailable"):
        make_store(realm=proxy.url).stat("x")
    assert proxy.requests["b2_authorize_account"] == 3
    assert slept == [1.0, 1.5]


def test_the_bucket_is_made_ready_once(make_store: MakeStore, admin: B2Api, sent: list[str]) -> None:
    name = f"fresh-{secrets.token_hex(8)}"
    make_store(bucket=name).prepare_bucket()
    stored_bucket = admin.list_buckets(bucket_name=name)[0]
    assert (stored_bucket.type_, stored_bucket.lifecycle_rules) == ("allPrivate", [LIFECYCLE_RULE])
    make_store(bucket=name).prepare_bucket()
    assert admin.list_buckets(bucket_name=name)[0].revision == stored_bucket.revision


def test_rules_of_the_owner_stay(make_store: MakeStore, admin: B2Api, bucket: Bucket) -> None:
    theirs = {**LIFECYCLE_RULE, "fileNamePrefix": "backups/", "daysFromUploadingToHiding": 7}
    bucket.update(lifecycle_rules=[theirs])
    make_store().prepare_bucket()
    assert admin.list_buckets(bucket_name=bucket.name)[0].lifecycle_rules == [theirs, LIFECYCLE_RULE]
    everything = {**LIFECYCLE_RULE, "daysFromHidingToDeleting": 90}
    bucket.update(lifecycle_rules=[everything])
    make_store().prepare_bucket()
    assert admin.list_buckets(bucket_name=bucket.name)[0].lifecycle_rules == [everything]


def test_a_limited_key_leaves_the_bucket_as_it_is(make_store: MakeStore, admin: B2Api, bucket: Bucket) -> None:
    key = admin.create_key(["listBuckets", "readFiles"], "limited", bucket_ids=[bucket.id_])
    make_store(key_id=key.id_, application_key=key.application_key).prepare_bucket()
    assert admin.list_buckets(bucket_name=bucket.name)[0].lifecycle_rules == []
    key = admin.create_key(["listBuckets", "listAllBucketNames"], "limited")
    store = make_store(key_id=key.id_, application_key=key.application_key, bucket="no-such-bucket")
    with pytest.raises(StorageRefused, match="no-such-bucket"):
        store.prepare_bucket()


def test_a_public_bucket_is_refused(make_store: MakeStore, bucket: Bucket) -> None:
    bucket.update(bucket_type="allPublic")
    with pytest.raises(StorageRefused, match="public"):
        make_store().prepare_bucket()


def test_requests_say_who_they_are_from(make_store: MakeStore) -> None:
    store = make_store()
    store.stat("x")
    assert "astegni-worker/" in store._account.api().raw_api.b2_http.user_agent


def assert_tells_no_secret(error: AstegniError, b2: Credentials, *secrets_: str) -> None:
    texts = f"{error} {error!r} {error.problem()}"
    for secret in (b2.application_key, *secrets_):
        assert secret not in texts
