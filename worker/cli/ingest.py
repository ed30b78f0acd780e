"""`astegni ingest`: uploads a recording and follows its ingest."""

import time
from pathlib import Path
from typing import Annotated, Any

import httpx2 as httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from worker.cli.recording_file import RecordingFile
from worker.cli.target import api_of_stack
from worker.errors import AstegniError, Unavailable

_PASSING = frozenset({502, 503, 504})
_TIMEOUT = 60.0
_OVER = frozenset({"succeeded", "failed", "cancelled", "dead"})


class IngestFailed(AstegniError):
    """The API refused the recording, or its job failed."""

    code, title = "ingest-failed", "The recording was not ingested"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    file: Annotated[Path, typer.Argument(exists=True, help="The recording.")],
    session: Annotated[int, typer.Option(help="Id of its whiteboard session.", min=1)],
    title: Annotated[str | None, typer.Option(help="Default: the file's name.")] = None,
    type: Annotated[str, typer.Option(help="video, screen or board.")] = "video",  # noqa: A002 - the option's name
    api: Annotated[str | None, typer.Option(envvar="ASTEGNI_API_URL", help="Default: the running stack.")] = None,
    token: Annotated[str | None, typer.Option(envvar="ASTEGNI_TOKEN", hidden=True)] = None,
) -> None:
    """Upload FILE as the user of ASTEGNI_TOKEN and wait until it can be played."""
    RecordingFile(file).close()  # fails before any request
    address, bearer = api_of_stack(api, token)
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer}"}, timeout=60) as client:
        recording = upload_and_wait(client, file, session_id=session, title=title or file.stem, type_=type)
    seconds = recording["duration_seconds"]
    typer.echo(f"Recording {recording['id']} can be played: {seconds} s, {recording['file_size_bytes']} bytes.")


def upload_and_wait(
    client: httpx.Client, file: Path, *, session_id: int, title: str, type_: str, console: Console | None = None
) -> dict[str, Any]:
    """Upload with a progress bar, follow the job with another, and return the recording.

    Raises UnreadableFile, IngestFailed with the detail of the API or of the job, and Unavailable when the API does not
    respond.
    """
    columns = (TextColumn("{task.description:<22}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            sent = progress.add_task("uploading", total=None)
            with RecordingFile(file, lambda count: progress.advance(sent, count)) as body:
                progress.update(sent, total=body.size)
                accepted = _upload(client, body, file.name, session_id, title, type_)
        _follow(client, accepted, console)
        return _ask_patiently(client, f"/v1/recordings/{accepted['recording_id']}")
    except httpx.TransportError as error:
        raise Unavailable(f"The API at {client.base_url} does not answer ({type(error).__name__}).") from error


def _upload(client: httpx.Client, body: Any, filename: str, session_id: int, title: str, type_: str) -> dict[str, Any]:
    return _answer(
        client.post(
            "/v1/recordings",
            data={"session_id": str(session_id), "title": title, "type": type_},
            files={"file": (filename, body, "application/octet-stream")},
            timeout=httpx.Timeout(60, write=None),
        )
    )


def _follow(client: httpx.Client, accepted: dict[str, Any], console: Console | None) -> None:
    """Show the job's progress until it has ended. Bytes that are already a playable lesson have no job."""
    if accepted["job_id"] is None:
        return
    columns = (TextColumn("{task.description:<22}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("waiting", total=100)
        while True:
            job = _ask_patiently(client, f"/v1/jobs/{accepted['job_id']}")
            progress.update(task, completed=job["progress"], description=job["progress_note"] or job["state"])
            if job["state"] in _OVER:
                break
            time.sleep(0.25)
    if job["state"] != "succeeded":
        raise IngestFailed(f"The recording was not ingested: {(job['error'] or {}).get('detail', job['state'])}")


def _ask_patiently(client: httpx.Client, path: str) -> dict[str, Any]:
    """GET with retries for a minute while the API is unavailable: the upload is safe, only its progress is unknown."""
    end = time.monotonic() + _TIMEOUT
    while True:
        try:
            response = client.get(path)
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
        else:
            if response.status_code not in _PASSING or time.monotonic() > end:
                return _answer(response)
        time.sleep(1)


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        body = {}
    if response.is_error:
        raise IngestFailed(body.get("detail") or f"The API answered {response.status_code}.")
    return body
