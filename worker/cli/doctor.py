"""`astegni doctor`: is everything there that this installation needs, and does what it names answer?"""

import os
import shutil
import subprocess
from collections.abc import Callable

import typer
from sqlalchemy.exc import SQLAlchemyError

from worker.cli.connection import database_error
from worker.errors import AstegniError, Misconfigured, OutOfSpace, Unavailable
from worker.settings import Settings

# RFC 8314 §7.3: TLS from the first byte.
_SMTP_OVER_TLS = 465

Check = Callable[[Settings], str]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor() -> None:
    """Check the programs, the disk and the services; exit 1 when something is wrong."""
    settings = Settings()
    failures = 0
    for name, check in _CHECKS.items():
        try:
            mark, found = "ok", check(settings)
        except AstegniError as error:
            failures += 1
            mark, found = "FAILED", error.detail
        typer.echo(f"{name:<10}{mark:<8}{found}")
    if failures:
        raise typer.Exit(1)


def _media(settings: Settings) -> str:
    from worker.media.binaries import find_binaries, missing_features  # noqa: PLC0415 - only when asked

    remedy = "Unset FFMPEG_PATH and FFPROBE_PATH, or name other programs."
    binaries = find_binaries(settings)
    try:
        missing = missing_features(binaries)
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(f"ffmpeg or ffprobe cannot be run ({type(error).__name__}). {remedy}") from error
    if missing:
        raise Misconfigured(f"{'; '.join(missing)}. {remedy}")
    return f"{binaries.ffmpeg}, {binaries.ffprobe}"


def _canvas(settings: Settings) -> str:  # noqa: ARG001 - nothing to set
    from worker.canvases.engine import load_engine  # noqa: PLC0415 - only when asked

    return f"skia {load_engine().__version__}"


def _spool(settings: Settings) -> str:
    # A look, not a change: the first upload makes the folder, as a user that may be another one.
    wanted = settings.spool_dir.absolute()
    there = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Misconfigured(f"{there} cannot be written. Set SPOOL_DIR to a folder that can.")
    free = shutil.disk_usage(there).free
    if free < settings.spool_reserve_bytes:
        raise OutOfSpace(f"{wanted} has {free / 1e9:.1f} GB free, less than SPOOL_RESERVE_BYTES. Free some space.")
    return f"{wanted}, {free / 1e9:.0f} GB free"


def _database(settings: Settings) -> str:
    from worker.migrate import current, newest_revision  # noqa: PLC0415 - only when asked

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` brings its own"
    try:
        revision, newest = current(settings.sqlalchemy_url), newest_revision()
    except SQLAlchemyError as error:
        raise database_error(error) from error
    if revision != newest:
        raise Misconfigured(f"The database is at revision {revision} and not {newest}. Run `astegni migrate`.")
    return f"at revision {revision}"


def _broker(settings: Settings) -> str:
    import redis  # noqa: PLC0415 - only when asked

    if settings.redis_url is None:
        return "REDIS_URL is not set: `astegni up` brings its own"
    try:
        with redis.Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=5) as client:
            info = client.info("server")
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy")
    except ValueError as error:
        raise Misconfigured("REDIS_URL is not an address like redis://:password@host:6379/0.") from error
    except redis.RedisError as error:
        raise Unavailable(f"The broker of REDIS_URL does not answer ({type(error).__name__}).") from error
    if policy not in {None, "noeviction"}:
        raise Misconfigured(f"The broker may drop messages: set its maxmemory-policy to noeviction, not {policy}.")
    return f"Redis {info['redis_version']}"


def _storage(settings: Settings) -> str:
    from worker.storage.store import ObjectStore  # noqa: PLC0415 - only when asked

    if settings.backblaze_key_id is None:
        return "BACKBLAZE_KEY_ID is not set: `astegni up` brings an emulator"
    ObjectStore.from_settings(settings).prepare_bucket()
    return f"bucket {settings.backblaze_bucket_name} of {settings.backblaze_realm}"


def _mail(settings: Settings) -> str:
    import smtplib  # noqa: PLC0415 - only when asked

    if settings.smtp_host is None:
        return "SMTP_HOST is not set: `astegni up` brings a mailbox"
    kind = smtplib.SMTP_SSL if settings.smtp_port == _SMTP_OVER_TLS else smtplib.SMTP
    try:
        with kind(settings.smtp_host, settings.smtp_port, timeout=5) as server:
            server.ehlo_or_helo_if_needed()
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"The mail server of SMTP_HOST does not answer ({type(error).__name__}).") from error
    return f"{settings.smtp_host}:{settings.smtp_port} answers"


_CHECKS: dict[str, Check] = {
    "ffmpeg": _media,
    "canvas": _canvas,
    "spool": _spool,
    "database": _database,
    "broker": _broker,
    "storage": _storage,
    "mail": _mail,
}
