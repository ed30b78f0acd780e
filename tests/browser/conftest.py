"""A page that records itself with `/recorder.js`: a real browser, API and worker, and what the recording shows."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from devstack.emulator.credentials import Credentials
from devstack.process import ChildProcess
from tests.browser.chromium import Chromium, Page
from tests.browser.film import Film, read_film
from tests.browser.recorder_harness import MEDIA_FLAGS, serve_harness
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings

_KEY = "a key of the platform in tests, long enough"


@dataclass
class RecorderHarness:
    """A tutor with a session, and their browser, which may be killed."""

    origin: str
    api: str
    token: str
    session: int
    settings: Settings
    program: str
    home: Path
    process: ChildProcess
    browsers: list[Chromium] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.browsers[-1].first_page

    def open_browser(self) -> None:
        """A browser with the profile of the one before it."""
        self.browsers.append(Chromium(self.program, self.home, *MEDIA_FLAGS))

    def kill_browser(self) -> None:
        self.browsers[-1].close()

    def open(self, page: Page | None = None, *, before: str = "0") -> None:
        """Open the page, or load it again, with the tutor's token; `before` runs in front of its scripts."""
        page = page or self.page
        page.open("about:blank")
        page.run_before_each_load(before)
        page.open(f"{self.origin}/")
        wait_for(lambda: page.run("Boolean(window.harness && window.Recorder)"))
        page.run(f"localStorage.setItem('token', '{self.token}')")

    def run(self, script: str) -> Any:
        return self.page.run(script)

    def wait(self, condition: str, page: Page | None = None, *, within: float = TIMEOUT) -> Any:
        """Wait until the script's result is true."""
        page = page or self.page
        facts = "({ state: harness.recorder?.state, events: harness.events, errors })"
        return wait_for(
            lambda: page.run(f"Promise.resolve({condition}).then(Boolean)"),
            within=within,
            pause=0.1,
            details=lambda: (condition, page.run(facts)),
        )

    def record(self, options: str = "{}", stream: str = "harness.stream()") -> float:
        """Begin a recording; returns when it began, in seconds of the page's clock."""
        self.run(f"harness.record({{ session: {self.session}, type: 'screen', ...{options} }}, {stream})")
        return float(self.run("harness.recorder.state.startedAt")) / 1000

    def wait_for_seconds(self, seconds: float) -> None:
        """Wait until this much has been recorded and written."""
        recorded = f"harness.recorder.state.recordedBytes && harness.recorder.state.recordedMs > {seconds * 1000}"
        self.wait(recorded, within=TIMEOUT + seconds)

    def take_up(self) -> None:
        """Find what the last page has left, as the recorder of this one."""
        self.run("harness.left().then(([first]) => { harness.recorder = first; harness.watch(first); })")

    def finish(self) -> Any:
        """Stop, and the receipt once everything is at the server."""
        self.run("harness.recorder.stop()")
        self.wait("harness.recorder.state.phase === 'finished'")
        return self.run("harness.recorder.state.receipt")

    def lose_spool(self, sql: Sql) -> None:
        """End all uploads, as after the loss of the spool's disk."""
        sql("UPDATE uploads SET state = 'terminated'")
        for file in self.settings.spool_dir.glob("*.upload"):
            file.unlink()

    def get(self, path: str) -> Any:
        """The response of the API to the tutor."""
        response = httpx2.get(f"{self.api}{path}", headers={"Authorization": f"Bearer {self.token}"})
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
def harness(
    school: School,
    settings: MakeSettings,
    processes: Processes,
    chromium_program: str,
    tmp_path: Path,
    database_url: str,
    redis_url: str,
    b2: Credentials,
) -> Iterator[RecorderHarness]:
    """The tutor's harness, on another origin than the API."""
    api = ""
    with serve_harness(lambda: api) as origin:
        api_settings = settings(secret_key=_KEY, cors_origins=(origin,), spool_reserve_bytes=0)
        api, process = processes.api(api_settings)
        processes.worker(api_settings)
        token = issue_token(api_settings.signing_key, sub=school.tutor.user_id, role="tutor", role_ids={"tutor": 11})
        session = httpx2.post(
            f"{api}/v1/whiteboard/sessions",
            json={"booking_id": school.booking_id},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert session.status_code == 201, session.text
        home = tmp_path / "chromium"
        home.mkdir()
        harness = RecorderHarness(
            origin, api, token, session.json()["id"], api_settings, chromium_program, home, process
        )
        harness.open_browser()
        harness.open()
        yield harness
        harness.browsers[-1].close()


Watch = Callable[[int], Film]

# The length of the film, and of what was painted, differ by less than this many seconds and the length of a picture.
EXACT = 0.2


@pytest.fixture
def watch(harness: RecorderHarness, sql: Sql, tmp_path: Path, processes: Processes) -> Watch:
    """`watch(recording_id)`: wait until it is available, and look at its playback."""

    def look(recording_id: int) -> Film:
        row = "SELECT is_available, recording_metadata FROM whiteboard_session_recordings WHERE id = :id"
        wait_for(
            lambda: sql(row, id=recording_id)[0].is_available,
            details=lambda: (sql(row, id=recording_id), processes.logs()[-3000:]),
        )
        renditions = harness.get(f"/v1/recordings/{recording_id}/playback")["renditions"]
        url = next(rendition["url"] for rendition in renditions if rendition["url"])
        file = tmp_path / f"{recording_id}.webm"
        file.write_bytes(httpx2.get(url).content)
        return read_film(find_binaries(harness.settings), file)

    return look


def assert_as_painted(film: Film, split: float = math.inf) -> None:
    """The film is as long as what was painted, without the gap in front of the time `split`."""
    difference = film.duration - film.painted_seconds(split)
    assert abs(difference) < EXACT + film.longest_picture(split), (difference, film)


def assert_whole(film: Film, since: float, seconds: range) -> None:
    """The film shows each of these seconds, counted from `since`."""
    missing = set(seconds) - film.seconds_of(since)
    assert not missing, (missing, film.duration, film.pictures[:3], film.pictures[-3:])
