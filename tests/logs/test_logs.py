"""What a log says about errors: types and locations, never what people wrote."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from worker.database import Database
from worker.errors import Unavailable
from worker.logs import configure_logs, get_logger, traceback_of

PRIVATE = "Abebe-says-his-diagnosis-is-flu"


@pytest.fixture
def log_output() -> Iterator[io.StringIO]:
    """All that the process logs, as JSON."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logs("DEBUG", as_json=True)
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    for name in ("worker", "tasks"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def _raise(error: Exception) -> None:
    raise error


class Age(BaseModel):
    age: int


def test_a_rejected_row_is_told_without_its_values(database: Database, log_output: io.StringIO) -> None:
    add = text("INSERT INTO users (id, first_name, email) VALUES (NULL, :name, :name)")
    with pytest.raises(DBAPIError) as caught, database.transaction() as session:
        session.execute(add, {"name": PRIVATE})
    error = caught.value
    assert PRIVATE in str(error.orig)
    get_logger("test").error("request_crashed", exc_info=error)
    logging.getLogger("library").error("It failed: %s", error, exc_info=error)
    logging.getLogger("library").error("It failed", exc_info=error.orig)
    lines = [json.loads(line) for line in log_output.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["request_crashed", "It failed: IntegrityError", "It failed"]
    for line in lines:
        assert "psycopg.errors.NotNullViolation: 23502 users id" in line["exception"]
    assert __file__ in lines[0]["exception"]
    assert PRIVATE not in log_output.getvalue()


@pytest.mark.parametrize(
    "error",
    [ValueError(PRIVATE), KeyError(PRIVATE), RuntimeError(PRIVATE), ExceptionGroup(PRIVATE, [ValueError(PRIVATE)])],
)
def test_an_unexpected_error_is_told_by_its_type(log_output: io.StringIO, error: Exception) -> None:
    try:
        try:
            _raise(error)
        except Exception as cause:
            raise RuntimeError(PRIVATE) from cause
    except RuntimeError:
        get_logger("test").exception("job_crashed")
    assert PRIVATE not in log_output.getvalue()
    assert f"builtins.{type(error).__name__}" in log_output.getvalue()
    assert "in _raise" in log_output.getvalue()


def test_a_rejected_document_is_told_without_its_input() -> None:
    with pytest.raises(ValueError, match=PRIVATE) as caught:
        Age.model_validate({"age": PRIVATE})
    assert PRIVATE not in traceback_of(caught.value)


def test_what_helps_and_holds_nothing_private_is_told() -> None:
    assert "Unavailable: B2 does not answer." in traceback_of(Unavailable("B2 does not answer."))
    assert "No such file or directory" in traceback_of(FileNotFoundError(2, "No such file or directory", PRIVATE))
    assert PRIVATE not in traceback_of(FileNotFoundError(2, "No such file or directory", PRIVATE))


def test_what_celery_says_of_a_task_holds_no_error_text(log_output: io.StringIO) -> None:
    """As celery.app.trace writes it: the error and the arguments are text by then."""
    task = {
        "name": "recordings.ingest",
        "id": "1",
        "exc": PRIVATE,
        "traceback": PRIVATE,
        "args": PRIVATE,
        "kwargs": PRIVATE,
    }
    logging.getLogger("celery.app.trace").error("Task %(name)s[%(id)s] raised: %(exc)s %(traceback)s", task)
    assert "recordings.ingest[1]" in log_output.getvalue()
    assert PRIVATE not in log_output.getvalue()


def test_libraries_write_nothing_at_debug(log_output: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").debug("GET /%s", PRIVATE)
    logging.getLogger("urllib3.connectionpool").info("a line for operators")
    get_logger("worker.jobs").debug("a_line_for_developers")
    assert [json.loads(line)["event"] for line in log_output.getvalue().splitlines()] == [
        "a line for operators",
        "a_line_for_developers",
    ]
