"""The command `astegni`: its output and exit codes, and never a traceback."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from devstack.emulator.credentials import Credentials
from tests.cli.conftest import CallCommand
from worker.access.callers import Operator, UserCaller
from worker.access.tokens import read_token
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import PruneLedger
from worker.jobs.runs.claim import claim
from worker.settings import DEVELOPMENT_KEY

DEPARTMENTS = frozenset({"manage-system-settings"})
SAMPLE = Path(__file__).parent.parent / "data" / "audio.webm"
NOWHERE = "postgresql://somebody:hush-hush@127.0.0.1:1/nothing"


# One interpreter for many commands that must not run in this one.
_SEVERAL = """
import contextlib, io, json, os, sys
from worker.cli.main import main

before, answers = dict(os.environ), []
for words, settings in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(before | settings)
    sys.argv = ["astegni", *words]
    code, out, err = 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    answers.append([code or 0, out.getvalue(), err.getvalue()])
json.dump(answers, sys.stdout)
"""


class Terminal:
    """An empty folder on a machine where nothing runs: `terminal("jobs", "list", DATABASE_URL=…)`."""

    def __init__(self, home: Path, call_command: CallCommand) -> None:
        home.mkdir()
        self._home = home
        self._call_command = call_command
        self._environment = environment_without_settings() | {"XDG_STATE_HOME": str(home / "state"), "COLUMNS": "200"}
        for name in ("ASTEGNI_API_URL", "ASTEGNI_TOKEN", "READY_FILE"):
            self._environment.pop(name, None)

    def __call__(self, *words: str, **settings: str) -> Any:
        """How a command ends, in this process."""
        return self._checked(self._call_command(words, self._environment | settings, self._home))

    def apart(self, *words: str, **settings: str) -> Any:
        """How it ends as a process of its own."""
        return self._checked(self._start(astegni(*words), settings))

    def several(self, *commands: tuple[list[str], dict[str, str]]) -> list[Any]:
        """How each of these commands ends, in this process."""
        return [self(*words, **settings) for words, settings in commands]

    def several_apart(self, *commands: tuple[list[str], dict[str, str]]) -> list[Any]:
        """How each of these commands ends, all of them in one process that never crashes."""
        done = self._start([sys.executable, "-P", "-c", _SEVERAL], {}, json.dumps(commands))
        assert done.returncode == 0, done.stderr
        results = [subprocess.CompletedProcess((), *result) for result in json.loads(done.stdout)]
        return [self._checked(result) for result in results]

    def _start(self, command: list[str], settings: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            env=self._environment | settings,
            cwd=self._home,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _checked(self, run: Any) -> Any:
        assert "Traceback" not in run.stdout + run.stderr
        assert "hush-hush" not in run.stdout + run.stderr
        # Looking at a machine changes nothing on it.
        assert list(self._home.iterdir()) == []
        return run


@pytest.fixture
def run(tmp_path: Path, call_command: CallCommand) -> Terminal:
    return Terminal(tmp_path / "home", call_command)


def test_help_names_every_command(run: Terminal) -> None:
    help_text = run.apart("--help").stdout

    for command in (
        *("mailbox", "reminders", "recordings", "backup", "users", "drain"),
        *("up", "demo", "worker", "beat", "api", "flower", "migrate", "token", "ingest", "jobs", "b2", "doctor"),
        "alive",
    ):
        assert f"\n  {command} " in help_text


class TestToken:
    """`astegni token`."""

    def test_a_persons(self, run: Terminal) -> None:
        text = run("token", "--sub", "1", "--role", "tutor", "--role-id", "tutor=1", "--role-id", "parent=3").stdout

        assert read_token(text.strip(), DEVELOPMENT_KEY, DEPARTMENTS) == UserCaller(1, "tutor", 1, None, 3)

    def test_an_operators_with_another_key(self, run: Terminal) -> None:
        key = "the platform's own key, long enough"
        text = run("token", "--admin", "7", SECRET_KEY=key, OPERATOR_DEPARTMENTS="media, support").stdout

        departments = frozenset({"media", "support"})
        assert read_token(text.strip(), key, departments) == Operator(7, departments)

    def test_no_token_is_made_that_nobody_would_take(self, run: Terminal) -> None:
        wrong: list[list[str]] = [
            [],
            ["--sub", "1", "--admin", "1"],
            ["--sub", "0"],
            ["--sub", "2147483648"],
            ["--sub", "1", "--role", "king"],
            ["--sub", "1", "--role-id", "tutor"],
            ["--sub", "1", "--role-id", "tutor=0"],
            ["--sub", "1", "--role-id", "king=1"],
            ["--sub", "1", "--expires-in", "0"],
        ]
        results = run.several(*((["token", *words], {}) for words in wrong))

        assert {result.returncode for result in results} == {1, 2}
        assert {result.stdout for result in results} == {""}
        assert "" not in {result.stderr for result in results}


@pytest.mark.drawing
class TestDoctor:
    """`astegni doctor`, on a machine with the libraries that the drawing engine links."""

    def test_on_an_empty_machine_all_is_well(self, run: Terminal) -> None:
        done = run.apart("doctor")

        assert done.returncode == 0
        assert [line.split()[:2] for line in done.stdout.splitlines()] == [
            [name, "ok"]
            for name in (
                *("versions", "settings", "ffmpeg", "canvas", "spool", "database", "platform", "broker", "processes"),
                *("spools", "storage", "mail"),
            )
        ]

    def test_with_everything_named_and_well(
        self, run: Terminal, database_url: str, redis_url: str, b2: Credentials, tmp_path: Path
    ) -> None:
        done = run(
            "doctor",
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            BACKBLAZE_REALM=b2.realm,
            BACKBLAZE_KEY_ID=b2.key_id,
            BACKBLAZE_APPLICATION_KEY=b2.application_key,
            BACKBLAZE_BUCKET_NAME=b2.bucket,
            SPOOL_DIR=str(tmp_path / "spool"),
        )

        # The emulator's bucket may have no CORS rule.
        assert (done.returncode, done.stdout.count(" ok ") + done.stdout.count(" WARNING ")) == (0, 12)
        assert b2.application_key not in done.stdout

    def test_everything_that_is_wrong_is_named_at_once(
        self, run: Terminal, b2: Credentials, empty_database_url: str
    ) -> None:
        done = run(
            "doctor",
            FFMPEG_PATH="/bin/false",
            SPOOL_RESERVE_BYTES=str(10**13),
            DATABASE_URL=empty_database_url,
            REDIS_URL="redis://:hush-hush@127.0.0.1:1/0",
            BACKBLAZE_REALM=b2.realm,
            BACKBLAZE_KEY_ID=b2.key_id,
            BACKBLAZE_APPLICATION_KEY="hush-hush",
            SMTP_HOST="127.0.0.1",
            SMTP_PORT="1",
        )

        assert (done.returncode, done.stdout.count("FAILED")) == (1, 6)
        assert "Run `astegni migrate`" in done.stdout

    def test_one_wrong_setting(self, run: Terminal) -> None:
        wrong = [
            {"DATABASE_URL": NOWHERE},
            {"REDIS_URL": "hush-hush"},
            {"FFMPEG_PATH": "/nowhere"},
            {"FFPROBE_PATH": "/etc/hostname"},
            {"SPOOL_DIR": "/proc/nowhere"},
            {"BACKBLAZE_KEY_ID": "1", "BACKBLAZE_APPLICATION_KEY": "2", "BACKBLAZE_REALM": "http://127.0.0.1:1"},
            {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1"},
        ]
        results = run.several(*((["doctor"], settings) for settings in wrong))

        assert [(result.returncode, result.stdout.count("FAILED")) for result in results] == [(1, 1)] * len(wrong)

    def test_one_document_on_a_machine_where_something_is_wrong(self, run: Terminal) -> None:
        done = run("doctor", "--json", FFMPEG_PATH="/bin/false")
        document = json.loads(done.stdout)
        assert (done.returncode, document["state"]) == (1, "failed")
        failed = {check["name"] for check in document["checks"] if check["state"] == "failed"}
        assert failed == {"ffmpeg"}
        assert all(check["detail"] for check in document["checks"])

    def test_a_setting_without_its_other_half_is_refused_before_anything_is_tried(self, run: Terminal) -> None:
        (result,) = run.several((["doctor"], {"BACKBLAZE_KEY_ID": "1"}))
        assert (result.returncode, result.stdout) == (2, "")
        assert "BACKBLAZE_APPLICATION_KEY" in result.stderr


class TestAlive:
    """`astegni alive`, the health check of processes without a port."""

    def test_by_the_age_of_the_sign(self, run: Terminal, tmp_path: Path) -> None:
        sign, old, ahead = (tmp_path / name for name in ("sign", "old", "ahead"))
        for path, age in ((sign, 0), (old, 120), (ahead, -120)):
            path.touch()
            os.utime(path, (time.time() - age, time.time() - age))
        missing, alive, late, late_enough, set_back, unasked = run.several(
            (["alive"], {"READY_FILE": str(tmp_path / "missing")}),
            (["alive"], {"READY_FILE": str(sign)}),
            (["alive"], {"READY_FILE": str(old)}),
            (["alive", "--within", "200"], {"READY_FILE": str(old)}),
            (["alive"], {"READY_FILE": str(ahead)}),
            (["alive"], {}),
        )

        assert (missing.returncode, missing.stderr) == (69, "astegni: No heartbeat.\n")
        assert (alive.returncode, alive.stderr) == (0, "")
        assert late.returncode == 69
        assert late.stderr.startswith("astegni: The last heartbeat is 12")
        assert late_enough.returncode == 0
        # Written before the clock was set back: its process may have ended.
        assert (set_back.returncode, "in the future" in set_back.stderr) == (69, True)
        assert unasked.returncode == 1
        assert unasked.stderr.startswith("astegni: READY_FILE names no file.")


class TestMigrate:
    """`astegni migrate`."""

    def test_an_empty_database_twice(self, run: Terminal, empty_database_url: str) -> None:
        first, again = run.several_apart(*[(["migrate"], {"DATABASE_URL": empty_database_url})] * 2)

        assert (first.returncode, again.returncode) == (0, 0)
        assert first.stdout == again.stdout
        assert first.stdout.startswith("The database is at revision ")

    def test_the_platforms_own_database_is_left_alone(self, run: Terminal, empty_database_url: str) -> None:
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE users (id serial PRIMARY KEY, email text)")
            refused = run.apart("migrate", DATABASE_URL=empty_database_url)
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()

        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.splitlines()[-1].startswith("astegni: The database already has a table `users`")
        assert tables == [("users",)]

    def test_a_database_that_was_restored_is_noticed_before_anything_else_runs(
        self, run: Terminal, database: Database, database_url: str
    ) -> None:
        with database.transaction() as session:
            session.execute(text("UPDATE installation SET identity = '1:2:3'"))
        done = run.apart("migrate", DATABASE_URL=database_url)

        assert done.returncode == 0
        assert "Sweeps wait: The tables of this database were restored from a dump." in done.stderr
        with database.transaction() as session:
            assert session.scalar(text("SELECT nextval('whiteboard_sessions_id_seq')")) > 1_000_000

    def test_a_database_that_does_not_answer(self, run: Terminal) -> None:
        run_of_migrate = run.apart("migrate", DATABASE_URL=NOWHERE)

        assert run_of_migrate.returncode == 69
        assert "astegni: The database" in run_of_migrate.stderr


class TestJobs:
    """`astegni jobs` on a database that the environment names."""

    def test_list_show_cancel_and_retry(self, run: Terminal, database: Database, database_url: str) -> None:
        with database.transaction() as session:
            job_id = str(enqueue(session, PruneLedger()))
        words = [
            ["list", "--json"],
            ["list", "--json", "--state", "dead"],
            ["list"],
            ["cancel", job_id],
            ["show", job_id],
            ["retry", job_id],
            ["retry", job_id],
        ]
        listed, dead, table, cancelled, shown, retried, again = run.several(
            *((["jobs", *word], {"DATABASE_URL": database_url}) for word in words)
        )

        assert [job["id"] for job in json.loads(listed.stdout)] == [job_id]
        assert json.loads(dead.stdout) == []
        assert job_id in table.stdout
        assert cancelled.stdout == f"Cancelled: {job_id} upkeep.prune_ledger - (queued)\n"
        assert json.loads(shown.stdout)["state"] == "cancelled"
        assert retried.stdout == f"Retried: {job_id} upkeep.prune_ledger - (cancelled)\n"
        assert (again.returncode, again.stderr.count("\n")) == (1, 1)
        assert again.stderr.startswith(f"astegni: Job {job_id} is queued;")

    def test_an_unknown_state_is_refused_with_those_there_are(self, run: Terminal, database_url: str) -> None:
        refused = run.apart("jobs", "list", "--state", "foo", DATABASE_URL=database_url)

        assert (refused.returncode, refused.stdout) == (1, "")
        assert "There is no state foo. The states are queued, published, running" in refused.stderr

    def test_routine_jobs_are_shown_when_asked_for(self, run: Terminal, database: Database, database_url: str) -> None:
        with database.transaction() as session:
            enqueue(session, PruneLedger(), principal="beat")
        words: list[list[str]] = [[], ["--routine"], ["--kind", "upkeep.prune_ledger"], ["--state", "queued"]]
        results = run.several(*((["jobs", "list", "--json", *more], {"DATABASE_URL": database_url}) for more in words))

        assert [len(json.loads(result.stdout)) for result in results] == [0, 1, 1, 1]

    def test_times_durations_and_workers_are_shown(self, run: Terminal, database: Database, database_url: str) -> None:
        with database.transaction() as session:
            job_id = enqueue(session, PruneLedger())
        with database.transaction() as session:
            claim(session, job_id, worker="host:1:a", lease=30)
            session.execute(
                text(
                    "UPDATE jobs SET state = 'succeeded', run_token = NULL, created_at = '2026-11-22T08:00:00Z',"
                    " started_at = '2026-11-22T08:00:01Z', finished_at = '2026-11-22T08:00:13.5Z'"
                )
            )
        table, listed = run.several(
            (["jobs", "list"], {"DATABASE_URL": database_url}),
            (["jobs", "list", "--json"], {"DATABASE_URL": database_url}),
        )

        assert all(word in table.stdout for word in ("2026-11-22T08:00:00", "12.5 s", "host:1:a"))
        assert json.loads(listed.stdout)[0]["worker"] == "host:1:a"

    def test_without_a_database(self, run: Terminal, empty_database_url: str) -> None:
        cases = [
            ("", 2, "DATABASE_URL is not set"),
            (NOWHERE, 69, "The database of DATABASE_URL does not answer"),
            ("hush-hush", 2, "the setting DATABASE_URL is not valid"),
            (empty_database_url, 1, "The database does not have this release's tables. Run `astegni migrate`."),
        ]
        results = run.several(*((["jobs", "list"], {"DATABASE_URL": url}) for url, _, _ in cases))

        for result, (_, code, sentence) in zip(results, cases, strict=True):
            assert (result.returncode, result.stdout) == (code, "")
            assert result.stderr.startswith(f"astegni: {sentence}")


def test_what_is_missing_or_wrong_is_said(run: Terminal) -> None:
    broker = {"REDIS_URL": "redis://127.0.0.1:1/0"}
    everywhere = "0.0.0.0"  # noqa: S104 - it is refused
    cases: list[tuple[list[str], dict[str, str], int, str]] = [
        (["ingest", str(SAMPLE), "--session", "1"], {}, 1, "No API to talk to."),
        (["ingest", "/nowhere.webm", "--session", "1"], {}, 2, "does not exist"),
        (["ingest", str(SAMPLE)], {}, 2, "--session"),
        (["worker"], {}, 2, "REDIS_URL is not set"),
        (["worker", "--queues", "default,knitting"], broker, 1, "no queue knitting"),
        (["api"], {}, 2, "REDIS_URL is not set"),
        (["api"], {"API_HOST": everywhere}, 2, f"development key is refused on {everywhere}"),
        (["api"], {"DATABASE_URL": NOWHERE}, 2, "development key is refused"),
        (["flower"], broker | {"FLOWER_HOST": everywhere}, 2, "FLOWER_BASIC_AUTH"),
        (["api"], {"API_PORT": "eighty"}, 2, "the setting API_PORT is not valid"),
        (["api"], {"API_PORT": "70000"}, 2, "the setting API_PORT is not valid"),
        (["jobs", "show", "12"], {}, 2, "valid UUID"),
        (["knit"], {}, 2, "No such command"),
    ]
    results = run.several_apart(*((words, settings) for words, settings, _, _ in cases))

    for result, (words, _, code, sentence) in zip(results, cases, strict=True):
        assert (words, result.returncode, result.stdout) == (words, code, "")
        assert sentence in result.stderr
