"""Structured logs on stderr: one line per event, with a static event name and ids as fields."""

import logging
import sys
import traceback
from functools import lru_cache

import psycopg
import structlog

from worker.errors import AstegniError

_OUR_LOGGERS = ("worker", "tasks")
_SECRETS = ("authorization", "token", "password", "secret", "key")


def _hide_secrets(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask every field whose name suggests a secret: more people can read a log than may know its secrets."""
    for name in event:
        if _is_secret(name):
            event[name] = "***"
    return event


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return any(name == secret or name.endswith(f"_{secret}") for secret in _SECRETS)


def _format_exception(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace `exc_info` by a traceback of error types and code locations.

    Error messages may repeat private values of a row or a request, so only messages that cannot are kept.
    """
    exc_info = event.pop("exc_info", None)
    if exc_info:
        error = (
            exc_info
            if isinstance(exc_info, BaseException)
            else exc_info[1]
            if isinstance(exc_info, tuple)
            else sys.exc_info()[1]
        )
        if error is not None:
            event["exception"] = traceback_of(error)
    return event


def traceback_of(error: BaseException) -> str:
    """The traceback of `error` and its causes, each with its type and, where that is safe, its message."""
    parts: list[str] = []
    current: BaseException | None = error
    visited: set[int] = set()
    while current is not None and id(current) not in visited:
        visited.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{frames}{type(current).__module__}.{type(current).__qualname__}{_safe_text(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n\n".join(reversed(parts))


def _safe_text(error: BaseException) -> str:
    match error:
        case AstegniError() | ImportError():
            return f": {error}"
        case OSError():
            return f": {error.strerror}" if error.strerror else ""
        case psycopg.Error():
            # Not the message, which may be "DETAIL: Key (email)=(…) already exists".
            named = (error.sqlstate, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
            return f": {' '.join(name for name in named if name)}"
        case _:
            return ""


class _HideErrorTexts(logging.Filter):
    """Replaces errors in the log messages of libraries by their types."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_type_of_error(value) for value in record.args)
        elif record.name == _CELERY_TRACE and isinstance(record.args, dict):
            # Celery writes the error as text next to the traceback, and the traceback as text too.
            hidden = {name: "***" for name in ("exc", "traceback", "args", "kwargs") if name in record.args}
            record.args = {**record.args, **hidden}
        return True


_CELERY_TRACE = "celery.app.trace"


def _type_of_error(value: object) -> object:
    return type(value).__name__ if isinstance(value, BaseException) else value


def configure_logs(level: str = "INFO", *, as_json: bool | None = None) -> None:
    """Send structlog and the standard library's logs to stderr in one format: text on a terminal, otherwise JSON.

    DEBUG is for our own loggers; libraries log from INFO on.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _format_exception,
        _hide_secrets,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_HideErrorTexts())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # At DEBUG libraries log addresses, object names and messages with people's texts.
    root.setLevel("INFO" if level == "DEBUG" else level)
    for name in _OUR_LOGGERS:
        logging.getLogger(name).setLevel(level)
    # Python's own warnings in the same format.
    logging.captureWarnings(capture=True)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger named after its module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bound_request_id() -> str | None:
    """The `request_id` that log lines of this thread or task have now; None without one."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return None if request_id is None else str(request_id)
