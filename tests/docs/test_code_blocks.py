"""Every code block of README and docs/ does what it says, on a running `astegni up --sample`.

A block names its language; shell blocks of a page run one after the other, as somebody who tries them would. `…` in an
assignment stands for a secret, and is filled in. Programs that talk to what is not here (Docker's engine, a git remote)
are replaced by those in `programs/`; there `astegni` is the real command, forked from a process that has imported it.
"""

import json
import os
import re
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psycopg
import pytest

from devstack.directories import scratch_directory
from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.programs import postgres_programs
from tests.browser.chromium import Chromium
from tests.conftest import Platform
from tests.forking.command_server import CommandServer
from tests.forking.forked_process import ForkServer
from tests.waiting import wait_for
from worker import clock
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.routine_orders import PruneLedger
from worker.settings import Settings

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).with_name("programs")
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
# A generous cap for a busy machine; a page takes seconds.
TIMEOUT = 1800
# Diagrams and output that somebody reads; anything else must be one of the languages below.
READ_ONLY = frozenset({"mermaid", "text"})


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line on which its content begins, its language, its content."""

    page: str
    line: int
    language: str
    content: str


@dataclass(frozen=True)
class SampleStack:
    """The facts of `astegni up --sample --json`, its working directory, and a page of another origin."""

    facts: dict[str, Any]
    directory: Path
    environment: dict[str, str]
    page: str


def blocks_of(page: str) -> list[Block]:
    text = (ROOT / page).read_text()
    return [
        Block(page, text[: match.start(2)].count("\n") + 1, match[1].strip(), match[2])
        for match in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PAGES_WITH_COMMANDS = sorted({block.page for block in BLOCKS if block.language == "sh"})


def of_language(language: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", chosen, ids=[f"{block.page}:{block.line}" for block in chosen])


def test_every_block_is_in_a_language_that_is_tried() -> None:
    languages = {"sh", "json", "js", "sql"} | READ_ONLY
    assert [(block.page, block.line, block.language) for block in BLOCKS if block.language not in languages] == []
    fences = sum(len(re.findall(r"^```", (ROOT / page).read_text(), re.MULTILINE)) for page in PAGES)
    assert fences == 2 * len(BLOCKS), "a block is not closed, or its fence is indented"


@of_language("json")
def test_json_is_json(block: Block) -> None:
    json.loads(block.content)


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page of the platform</title>")

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@pytest.fixture(scope="module")
def other_origin() -> Iterator[str]:
    """The address of a page on another origin than the API's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def stack(other_origin: str) -> Iterator[SampleStack]:
    with scratch_directory() as directory:
        environment = environment_without_settings() | {"XDG_STATE_HOME": str(directory / "state"), "COLUMNS": "200"}
        # They take minutes of processor time.
        environment |= {"RENDITIONS": "none"}
        printed = directory / "printed"
        with printed.open("wb") as stdout:
            process = ChildProcess(
                "up",
                astegni("up", "--sample", "--json"),
                directory / "up.log",
                env=environment | {"CORS_ORIGINS": other_origin.removesuffix("/")},
                stdout=stdout,
                cwd=directory,
            )
        try:
            wait_until(lambda: printed.read_bytes().endswith(b"\n"), process, TIMEOUT)
            facts = json.loads(printed.read_bytes())
            yield SampleStack(facts | {"waiting_job": _waiting_job(facts)}, directory, environment, other_origin)
            process.stop(120)
            assert process.exit_code == 0
            assert not (directory / ".data" / "sample" / "env").exists(), "tokens of an ended stack are left behind"
        finally:
            process.kill()


def _waiting_job(facts: dict[str, Any]) -> str:
    """A job that stays queued until somebody cancels it."""
    database = Database(Settings(database_url=facts["database_url"]).sqlalchemy_url, pool_size=1)
    try:
        with database.transaction() as session:
            return str(enqueue(session, PruneLedger(), run_at=clock.now() + timedelta(days=1)))
    finally:
        database.close()


@of_language("sql")
def test_statements_run(block: Block, stack: SampleStack) -> None:
    with psycopg.connect(stack.facts["database_url"]) as connection:
        connection.execute(block.content.encode())
        connection.rollback()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip(
            "scripts of the documentation are NOT tried: `chromium` is not installed (apt-get install chromium)"
        )
    browser = Chromium(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def values(stack: SampleStack) -> dict[str, Any]:
    """What the scripts use without saying where it comes from."""
    recording_id, job_id = _recorded_replay(stack)
    facts = stack.facts
    return {"api": facts["api"], "token": facts["sample"]["tutor"]["token"], "id": recording_id, "jobId": job_id}


@of_language("js")
def test_scripts_run_in_a_browser(block: Block, stack: SampleStack, browser: Chromium, values: dict[str, Any]) -> None:
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    headers = "const headers = { Authorization: `Bearer ${token}` };\n"
    page = browser.page()
    page.open(stack.page)
    page.run(f"(async () => {{ {constants} {headers} {{ {block.content} }} }})()")
    browser.close_pages()


def _recorded_replay(stack: SampleStack) -> tuple[int, str]:
    """A recording with a replay of the sample's board, and the job that made it playable."""
    facts = stack.facts
    headers = {"Authorization": f"Bearer {facts['sample']['tutor']['token']}"}
    with httpx.Client(base_url=facts["api"], headers=headers, timeout=TIMEOUT) as client:
        ordered = client.post(f"/v1/whiteboard/sessions/{facts['sample']['session_id']}/replay")
        result = _finished(client, ordered.json()["job_id"])["result"]
        if result["ingest_job_id"] is not None:
            _finished(client, result["ingest_job_id"])
        return result["recording_id"], ordered.json()["job_id"]


def _finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    def finished() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").json()
        return job if job["finished_at"] is not None else None

    job = wait_for(finished, within=TIMEOUT, pause=0.2)
    assert job["state"] == "succeeded", job
    return job


@pytest.fixture(scope="module")
def commands(fork_server: ForkServer) -> Iterator[Path]:
    """The socket where the program `astegni` of the blocks has its commands started."""
    with scratch_directory() as directory, CommandServer(fork_server, directory / "socket"):
        yield directory / "socket"


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS)
def test_every_command_of_a_page_runs(
    page: str, stack: SampleStack, commands: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    blocks = [block for block in blocks_of(page) if block.language == "sh"]
    programs = {word for block in blocks for word in re.findall(r"(?:^|\| *|&& *)([a-z0-9]+) ", block.content, re.M)}
    missing = sorted(word for word in programs & {"curl", "jq"} if shutil.which(word) is None)
    if missing:
        pytest.skip(f"{page} was NOT tried: {', '.join(missing)} is not installed")
    failures = tmp_path / "failures"
    failures.touch()
    settings = _settings(stack)
    environment = stack.environment | {
        "PATH": f"{PROGRAMS}:{postgres_programs()}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DOCUMENTATION_COMMANDS": str(commands),
        "DOCUMENTATION_ROOT": str(ROOT),
        "DOCUMENTATION_FAILURES": str(failures),
        "API_PORT": str(free_port()),
        "FLOWER_PORT": str(free_port()),
        "FLOWER_DB": str(tmp_path / "flower"),
        "SPOOL_DIR": str(tmp_path / "spool"),
        "HOME": str(tmp_path),
    }
    # README says how the others are set; Backblaze's own realm cannot be reached from a test.
    environment |= settings if page != "README.md" else {"BACKBLAZE_REALM": settings["BACKBLAZE_REALM"]}
    if page == "docs/platform.md":
        platform: Platform = request.getfixturevalue("platform")
        platform.owner.execute("DELETE FROM student_profiles WHERE user_id IS NULL")  # would be a warning
        environment["PLATFORM_DATABASE_URL"] = platform.url
    _lay_out(stack)
    script = "\n".join(f"echo '## line {block.line}'\n{_filled_in(block.content, settings)}" for block in blocks)
    shell = ChildProcess(
        page,
        ["bash", "-euo", "pipefail", "-c", f"{script}\nwait"],
        tmp_path / "log",
        env=environment,
        cwd=stack.directory,
    )
    shell.wait(TIMEOUT)
    # With its whole group: what a script that never ends has started is not left behind.
    code = shell.kill()
    assert (code, failures.read_text()) == (0, ""), (tmp_path / "log").read_text()[-8000:]


def _settings(stack: SampleStack) -> dict[str, str]:
    """What an operator would have in the environment, for the stack's own servers."""
    facts, b2 = stack.facts, stack.facts["b2"]
    sample = facts["sample"]
    smtp_host, _, smtp_port = facts["mailbox"]["smtp"].removeprefix("smtp://").rpartition(":")
    return {
        "DATABASE_URL": facts["database_url"],
        "REDIS_URL": facts["redis_url"],
        "BACKBLAZE_REALM": b2["realm"],
        "BACKBLAZE_KEY_ID": b2["key_id"],
        "BACKBLAZE_APPLICATION_KEY": b2["application_key"],
        "BACKBLAZE_BUCKET_NAME": b2["bucket"],
        "SECRET_KEY": secrets.token_hex(32),
        "SMTP_HOST": smtp_host,
        "SMTP_PORT": smtp_port,
        "ASTEGNI_API_URL": facts["api"],
        "ASTEGNI_TOKEN": facts["operator_token"],
        "API": facts["api"],
        "TOKEN": sample["tutor"]["token"],
        "STUDENT_TOKEN": sample["student"]["token"],
        "ID": facts["waiting_job"],
        # The command `b2`, for the emulator instead of Backblaze's own realm.
        "B2_APPLICATION_KEY_ID": b2["key_id"],
        "B2_APPLICATION_KEY": b2["application_key"],
        "B2_ENVIRONMENT": b2["realm"],
    }


def _lay_out(stack: SampleStack) -> None:
    """What a checkout has and the stack's directory does not."""
    command = stack.directory / ".venv" / "bin" / "astegni"
    if not command.exists():
        command.parent.mkdir(parents=True)
        command.symlink_to(PROGRAMS / "astegni")
        shutil.copy(ROOT / ".env.example", stack.directory)
        shutil.copy(ROOT / "docker-compose.yml", stack.directory)
        (stack.directory / "astegni.dump").touch()


def _filled_in(content: str, settings: dict[str, str]) -> str:
    """`NAME=…` with the stack's own value; names that the stack's bucket holds already are made new ones."""
    content = re.sub(r"\b([A-Z_0-9]+)=\S*…\S*", lambda match: f"{match[1]}='{settings[match[1]]}'", content)
    content = content.replace("https://api.astegni.example", settings["API"])
    return (
        re.sub(r"(?<=\s)astegni-media(?= )", f"astegni-media-{os.urandom(4).hex()}", content)
        if "b2 " in content
        else content
    )
