"""For operators: the facts of `astegni up`, health, metrics, Flower, and commands beside the running stack."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import psutil
import psycopg
import pytest

from tests.e2e.conftest import UpStack
from tests.waiting import TIMEOUT, wait_for
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings


def test_up_says_exactly_this(stack: UpStack) -> None:
    facts = stack.facts

    assert list(facts) == ["api", "flower", "b2", "database_url", "redis_url", "mailbox", "operator_token"]
    assert list(facts["b2"]) == ["realm", "key_id", "application_key", "bucket"]
    assert (stack.folder / "said").read_text().count("\n") == 1
    for url in (facts["api"], facts["flower"], facts["b2"]["realm"], facts["database_url"], facts["redis_url"]):
        assert urlsplit(url).hostname == "127.0.0.1"
    assert list(facts["mailbox"]) == ["smtp", "url"]
    assert urlsplit(f"smtp://{facts['mailbox']['smtp']}").hostname == "127.0.0.1"
    assert urlsplit(facts["mailbox"]["url"]).hostname == "127.0.0.1"
    assert httpx.get(f"{facts['mailbox']['url']}/messages").status_code == 200
    with psycopg.connect(facts["database_url"]) as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_secrets_stand_in_no_command_line(stack: UpStack) -> None:
    facts = stack.facts
    secrets = [
        facts["b2"]["application_key"],
        urlsplit(facts["database_url"]).password,
        urlsplit(facts["redis_url"]).password,
        facts["operator_token"],
    ]
    up = psutil.Process(stack.process.pid)
    commands = [_command_line(each) for each in (up, *up.children(recursive=True))]

    assert len([command for command in commands if "worker.cli" in command]) > 6
    assert not [command for command in commands if any(secret in command for secret in secrets)]


def _command_line(process: psutil.Process) -> str:
    """Empty when it is gone: PostgreSQL's own come and go."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_health_readiness_and_metrics(stack: UpStack) -> None:
    nobody = stack.school.nobody

    assert nobody.get("/healthz") == {"status": "ok"}
    ready = nobody.get("/readyz")
    assert (ready["status"], set(ready["checks"].values())) == ("ready", {"ok"})
    metrics = nobody.http.get("/metrics")
    assert metrics.status_code == 200
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "astegni_" in metrics.text


def test_flower_lists_both_workers(stack: UpStack) -> None:
    flower = stack.facts["flower"]

    assert httpx.get(f"{flower}/healthcheck").status_code == 200
    page = wait_for(lambda: _with_both(httpx.get(f"{flower}/workers?json=1").json()))
    assert {worker["status"] for worker in page} == {True}
    # Operators look; whoever reaches the port changes nothing.
    assert httpx.post(f"{flower}/api/worker/shutdown/{page[0]['hostname']}").status_code in {401, 403, 404, 405}
    assert stack.school.nobody.get("/readyz")["status"] == "ready"


def _with_both(document: dict[str, Any]) -> list[dict[str, Any]]:
    workers: list[dict[str, Any]] = document["data"]
    return workers if {item["hostname"].partition("@")[0] for item in workers} == {"default-reminders", "media"} else []


def test_ingest_finds_the_running_stack_and_shows_progress(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    lesson = stack.folder / "a lesson.webm"
    lesson.write_bytes(sample("vp9"))
    session_id = stack.lesson()

    done = stack.command("ingest", str(lesson), "--session", str(session_id))

    assert (done.returncode, done.stderr) == (0, "")
    (recording,) = stack.school.tutor.get(f"/v1/recordings?session_id={session_id}")["items"]
    assert recording["is_available"]
    assert recording["recording_title"] == "a lesson"
    last = done.stdout.splitlines()[-1]
    assert last == (
        f"Recording {recording['id']} can be played: {recording['duration_seconds']} s, "
        f"{recording['file_size_bytes']} bytes."
    )
    assert "uploading" in done.stdout
    assert "100 %" in done.stdout
    stack.settled(recording["id"])
    # Once more: the same lesson, already there.
    again = stack.command("ingest", str(lesson), "--session", str(session_id))
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, last)


def test_ingest_says_why_a_file_is_rejected(stack: UpStack) -> None:
    text = stack.folder / "notes.webm"
    text.write_text("no recording")

    failed = stack.command("ingest", str(text), "--session", str(stack.lesson()))

    assert failed.returncode == 1
    assert failed.stderr.startswith("astegni: The recording was not ingested: ")
    assert failed.stderr.count("\n") == 1
    wait_for(lambda: stack.spooled() == [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--session", "2147483647"], "There is no whiteboard session 2147483647."),
        (["--session", "1", "--type", "film"], "The request does not have the form it must have"),
        (["--session", "1", "--token", "x.y.z"], "The token cannot be trusted."),
        (["--session", "1", "--api", "http://127.0.0.1:1"], "The API at http://127.0.0.1:1 does not answer"),
    ],
)
def test_ingest_passes_on_what_the_api_says(
    stack: UpStack, sample: Callable[[str], bytes], words: list[str], message: str
) -> None:
    lesson = stack.folder / "lesson.webm"
    lesson.write_bytes(sample("audio"))

    failed = stack.command("ingest", str(lesson), *words)

    assert failed.returncode != 0
    assert failed.stderr.startswith(f"astegni: {message}")
    assert "Traceback" not in failed.stderr


def test_jobs_from_the_command_line(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, session_id = stack.school.tutor, stack.lesson()
    failed_id, failed_job = tutor.upload_accepted(session_id, b"no recording")
    tutor.job(failed_job)
    stack.settled(failed_id)

    listed = stack.command("jobs", "list", "--subject", f"recording:{failed_id}", "--state", "failed", "--json")
    assert [job["id"] for job in json.loads(listed.stdout)] == [failed_job]
    table = stack.command("jobs", "list", "--kind", "recordings.ingest")
    assert failed_job in table.stdout
    assert "failed" in table.stdout
    shown = json.loads(stack.command("jobs", "show", failed_job).stdout)
    assert (shown["state"], [item["outcome"] for item in shown["attempts"]]) == ("failed", ["failed"])

    again = stack.command("jobs", "retry", failed_job)
    assert (again.returncode, again.stdout) == (
        0,
        f"Retried: {failed_job} recordings.ingest recording:{failed_id} (failed)\n",
    )
    assert tutor.job(failed_job)["state"] == "failed"
    stack.settled(failed_id)
    refusal = stack.command("jobs", "cancel", failed_job)
    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert refusal.stderr.startswith(f"astegni: Job {failed_job} is failed;")
    unknown = stack.command("jobs", "show", "00000000-0000-0000-0000-000000000000")
    assert unknown.returncode == 1
    assert unknown.stderr == "astegni: There is no job 00000000-0000-0000-0000-000000000000.\n"

    with stack.held():
        recording_id, job_id = tutor.upload_accepted(session_id, sample("audio"))
        tutor.job(job_id, "running")
        cancellation = stack.command("jobs", "cancel", job_id)
        assert (cancellation.returncode, cancellation.stdout) == (
            0,
            f"Asked to stop: {job_id} recordings.ingest recording:{recording_id} (running)\n",
        )
        assert tutor.job(job_id)["state"] == "cancelled"
    tutor.delete(f"/v1/recordings/{recording_id}")
    stack.settled(recording_id)
    wait_for(lambda: stack.spooled() == [])


def test_a_second_stack_cannot_take_the_same_data(stack: UpStack) -> None:
    refused = stack.command("up", "--json", "--data", str(stack.folder / "data"))

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is in use by another stack" in refused.stderr
    # The first one's run file still stands: other commands find it.
    assert stack.command("jobs", "list").returncode == 0


def test_fifty_at_once_with_one_key_are_one_recording(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, session_id, content = stack.school.tutor, stack.lesson(), sample("audio")
    headers = {"Idempotency-Key": f"key-{session_id}"}

    with ThreadPoolExecutor(50) as senders:
        responses = list(senders.map(lambda _: tutor.upload(session_id, content, headers=headers), range(50)))

    assert {(response.status_code, response.content) for response in responses} == {(202, responses[0].content)}
    assert {response.headers["location"] for response in responses} == {responses[0].headers["location"]}
    assert (
        sorted(response.headers.get("idempotency-replayed", "no") for response in responses) == ["no"] + ["true"] * 49
    )
    assert len(tutor.get(f"/v1/recordings?session_id={session_id}")["items"]) == 1
    body = responses[0].json()
    other = tutor.upload(session_id, content, headers=headers, title="Another")
    assert tutor.checked_body(other, 422)["code"] == "invalid-input"
    other = tutor.upload(session_id, sample("vp9"), headers=headers)
    assert tutor.checked_body(other, 422)["code"] == "invalid-input"
    assert tutor.job(body["job_id"])["state"] == "succeeded"
    stack.settled(body["recording_id"])
    # Boards of lessons that other tests ended may still be drawn.
    wait_for(lambda: stack.spooled() == [])
    # The key is remembered: also when the lesson is long there, the answer is the first one.
    late = tutor.upload(session_id, content, headers=headers)
    assert (late.status_code, late.content) == (202, responses[0].content)
    wait_for(lambda: stack.spooled() == [])


def test_twenty_at_once_without_a_key_are_one_recording_too(stack: UpStack, sample: Callable[[str], bytes]) -> None:
    tutor, session_id, content = stack.school.tutor, stack.lesson(), sample("audio")

    with ThreadPoolExecutor(20) as senders:
        responses = list(senders.map(lambda _: tutor.upload(session_id, content), range(20)))

    assert {(response.status_code, response.text) for response in responses} == {(202, responses[0].text)}
    assert tutor.job(responses[0].json()["job_id"])["state"] == "succeeded"
    stack.settled(responses[0].json()["recording_id"])
    wait_for(lambda: stack.spooled() == [])
    assert len(stack.objects(session_id)) == 2


def test_the_demo_ends_well_and_leaves_no_process(tmp_path: Path) -> None:
    # All renditions of its recordings would take more processor time than the rest of it.
    kept = {"XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "120", "RENDITIONS": "audio"}
    environment = environment_without_settings() | kept
    demo = subprocess.Popen(
        astegni("demo"), env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    family: dict[int, psutil.Process] = {}

    def ended() -> bool:
        if demo.poll() is not None:
            return True
        family.update({each.pid: each for each in psutil.Process(demo.pid).children(recursive=True)})
        return False

    # To list the processes of a machine takes milliseconds of CPU time for each of them.
    wait_for(ended, within=2 * TIMEOUT, pause=1)
    output = demo.communicate()[0]

    assert demo.returncode == 0, output
    assert len(family) > 8
    assert [each for each in family.values() if each.is_running()] == []
    shown = ("is_available", "True", "vp09", "play/playback.webm", "play/poster.jpg", "Authorization=")
    for word in (*shown, "jediael@example.com", "starts in 10 minutes", "lesson.ics", "/messages/"):
        assert word in output
    assert list(tmp_path.iterdir()) == []
