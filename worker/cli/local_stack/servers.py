"""Embedded servers in place of those that the settings do not name."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from devstack.emulator.embedded import EmbeddedB2
from devstack.mailbox.addresses import Addresses
from devstack.mailbox.embedded import EmbeddedMailbox
from devstack.ports import usual_port
from devstack.postgres import EmbeddedPostgres
from devstack.process import ChildProcess
from devstack.valkey import EmbeddedValkey
from worker.settings import DEVELOPMENT_KEY, Settings


@dataclass(frozen=True)
class Servers:
    """The servers started for `settings`, which now name them all; `mailbox` is None when a mail server was named."""

    settings: Settings
    processes: list[ChildProcess]
    mailbox: Addresses | None


def start_servers(settings: Settings, directory: Path, running: ExitStack) -> Servers:
    """Start the servers that are missing, with data below `directory`; `running` stops them when it is closed."""
    logs = directory / "logs"
    named: dict[str, Any] = {}
    started: list[ChildProcess | None] = []
    addresses = None
    if settings.database_url is None:
        postgres = running.enter_context(EmbeddedPostgres(directory / "postgres", log=logs / "postgres.log"))
        named["database_url"] = postgres.url()
        # Explicit, for this database only: the key is refused as a default where a DATABASE_URL is set.
        named["secret_key"] = settings.secret_key or SecretStr(DEVELOPMENT_KEY)
        started.append(postgres.process)
    if settings.redis_url is None:
        valkey = running.enter_context(EmbeddedValkey(directory / "valkey", log=logs / "valkey.log"))
        named["redis_url"] = valkey.url()
        started.append(valkey.process)
    if settings.backblaze_key_id is None:
        b2 = _start_b2(settings, directory, running)
        named["backblaze_realm"] = b2.credentials.realm
        named["backblaze_key_id"] = b2.credentials.key_id
        named["backblaze_application_key"] = SecretStr(b2.credentials.application_key)
        named["backblaze_bucket_name"] = b2.credentials.bucket
        started.append(b2.process)
    if settings.smtp_host is None:
        mailbox = running.enter_context(EmbeddedMailbox(directory / "mail", log=logs / "mailbox.log"))
        addresses = mailbox.addresses
        named |= {"smtp_host": addresses.smtp_host, "smtp_port": addresses.smtp_port}
        # It has no login.
        named |= {"smtp_user": None, "smtp_password": None, "from_email": settings.from_email}
        started.append(mailbox.process)
    completed = settings.model_copy(update=named)
    return Servers(completed, [process for process in started if process is not None], addresses)


def _start_b2(settings: Settings, directory: Path, running: ExitStack) -> EmbeddedB2:
    """The emulator at the port of its last start, since `file_url` of stored rows contains the port."""
    port = running.enter_context(usual_port(directory / "ports" / "b2"))
    log, bucket = directory / "logs" / "b2.log", settings.backblaze_bucket_name
    return running.enter_context(EmbeddedB2(directory / "b2", log=log, port=port, bucket=bucket))
