"""A bucket belongs to one database: tests that make a database make a bucket for it."""

import secrets
from dataclasses import replace

import requests

from devstack.emulator.credentials import Credentials


def with_new_bucket(credentials: Credentials) -> Credentials:
    """The same emulator, with a new private bucket."""
    name = f"test-{secrets.token_hex(8)}"
    _create_bucket(credentials, name)
    return replace(credentials, bucket=name)


def _create_bucket(credentials: Credentials, name: str) -> None:
    """Two requests of B2's native API: b2sdk would make four, and takes a second to import."""
    login = (credentials.key_id, credentials.application_key)
    response = requests.get(f"{credentials.realm}/b2api/v3/b2_authorize_account", auth=login, timeout=60)
    account = response.json()
    response = requests.post(
        f"{account['apiInfo']['storageApi']['apiUrl']}/b2api/v3/b2_create_bucket",
        headers={"Authorization": account["authorizationToken"]},
        json={"accountId": account["accountId"], "bucketName": name, "bucketType": "allPrivate"},
        timeout=60,
    )
    response.raise_for_status()
