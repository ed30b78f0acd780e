"""The connection to one bucket at Backblaze B2: authorised on first use, with every wait bounded."""

import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import requests
from b2sdk.v3 import B2Api, B2Http, B2HttpApiConfig, B2Session, Bucket, InMemoryAccountInfo
from b2sdk.v3.exception import B2Error

# By default b2sdk tries a download 20 times, with pauses of up to 64 s in between, and waits 20 minutes for the
# response to any JSON call. Jobs have attempts of their own, so three tries, 1 and 1.5 s apart, are enough for a short
# failure.
_PAUSES = (1.0, 1.5)
# b2sdk would sleep for as long as any Retry-After says, and fail on a negative one.
_LONGEST_PAUSE = 10
# Parts uploaded concurrently, of 5 MB each (store.py): enough to fill a connection with high latency, while a killed
# process loses 10 MB at most. A worker's other children upload at the same time.
_UPLOAD_THREADS = 2


class _Http(B2Http):  # type: ignore[misc]  # b2sdk publishes no types
    """b2sdk's HTTP client with limits that fit a job (seconds) and the pauses of `sleep`."""

    CONNECTION_TIMEOUT = 10
    TIMEOUT = 60
    TIMEOUT_FOR_COPY = 60

    sleep: Callable[[float], None] = staticmethod(time.sleep)

    def request(self, *args: Any, try_count: int = 3, **options: Any) -> requests.Response:
        for pause in _PAUSES[: try_count - 1]:
            try:
                return self._request_once(*args, **options)
            except B2Error as error:
                if not error.should_retry_http():
                    raise
                self.sleep(bounded_pause(error.retry_after_seconds, pause))
        return self._request_once(*args, **options)

    def _request_once(self, *args: Any, **options: Any) -> requests.Response:
        response: requests.Response = super().request(*args, try_count=1, **options)
        return response


def bounded_pause(requested: int | None, usual: float) -> float:
    """How many seconds to wait: the `requested` time of a Retry-After, within bounds, or else the `usual` time."""
    return usual if requested is None else float(min(max(requested, 0), _LONGEST_PAUSE))


class _Session(B2Session):  # type: ignore[misc]  # b2sdk publishes no types
    B2HTTP_CLASS = staticmethod(_Http)


class _Api(B2Api):  # type: ignore[misc]  # b2sdk publishes no types
    SESSION_CLASS = staticmethod(_Session)


class Account:
    """A key, the bucket it opens, and the realm they belong to.

    Nothing is sent before first use, so it may be created anywhere; it must be used in one process only, since a
    connection shared across a fork mixes up its responses.
    """

    def __init__(
        self,
        key_id: str,
        application_key: str,
        bucket: str,
        realm: str,
        http_session: Callable[[], requests.Session],
        sleep: Callable[[float], None],
    ) -> None:
        self.bucket_name = bucket
        self._key_id = key_id
        self._application_key = application_key
        self._realm = realm.rstrip("/")
        self._http_session = http_session
        self._sleep = sleep
        self._lock = threading.Lock()
        self._api: B2Api | None = None
        self._bucket: Bucket | None = None

    def api(self) -> B2Api:
        """The authorised API."""
        with self._lock:
            if self._api is None:
                self._api = self._authorize()
            return self._api

    def bucket(self) -> Bucket:
        """The bucket; raises b2sdk's NonExistentBucket if it does not exist."""
        api = self.api()
        with self._lock:
            if self._bucket is None:
                self._bucket = api.get_bucket_by_name(self.bucket_name)
            return self._bucket

    def may(self, capability: str) -> bool:
        """Whether the key has this capability."""
        return capability in self.api().account_info.get_allowed()["capabilities"]

    def _authorize(self) -> B2Api:
        # In memory: the SQLite file that b2sdk would share between processes is a bottleneck.
        api = _Api(
            InMemoryAccountInfo(),
            max_upload_workers=_UPLOAD_THREADS,
            api_config=B2HttpApiConfig(
                http_session_factory=self._http_session,
                user_agent_append=f"astegni-worker/{version('astegni-worker')}",
            ),
        )
        api.raw_api.b2_http.sleep = self._sleep
        api.authorize_account(self._key_id, self._application_key, realm=self._realm)
        return api
