"""Embedded servers for whatever the settings do not name."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from worker.dev.b2 import EmbeddedB2
from worker.dev.postgres import EmbeddedPostgres
from worker.dev.process import ChildProcess
from worker.dev.valkey import EmbeddedValkey
from worker.settings import DEVELOPMENT_KEY, Settings


def start_servers(settings: Settings, directory: Path, running: ExitStack) -> tuple[Settings, list[ChildProcess]]:
    """Start what is missing below `directory` and leave it to `running` to stop it.

    Answers the settings, which name all three then, and the processes that were started.
    """
    logs = directory / "logs"
    named: dict[str, Any] = {}
    started: list[ChildProcess | None] = []
    if settings.database_url is None:
        postgres = running.enter_context(EmbeddedPostgres(directory / "postgres", log=logs / "postgres.log"))
        named["database_url"] = postgres.url()
        # Said expressly, for this database only: without a word it is refused where a DATABASE_URL is named.
        named["secret_key"] = settings.secret_key or SecretStr(DEVELOPMENT_KEY)
        started.append(postgres.process)
    if settings.redis_url is None:
        valkey = running.enter_context(EmbeddedValkey(directory / "valkey", log=logs / "valkey.log"))
        named["redis_url"] = valkey.url()
        started.append(valkey.process)
    if settings.backblaze_key_id is None:
        b2 = running.enter_context(EmbeddedB2(directory / "b2", log=logs / "b2.log"))
        named["backblaze_realm"] = b2.credentials.realm
        named["backblaze_key_id"] = b2.credentials.key_id
        named["backblaze_application_key"] = SecretStr(b2.credentials.application_key)
        named["backblaze_bucket_name"] = b2.credentials.bucket
        started.append(b2.process)
    return settings.model_copy(update=named), [process for process in started if process is not None]
