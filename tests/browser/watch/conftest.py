"""A tutor's lesson on the API and the bucket, and the browser of somebody who watches it."""

import shutil
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from b2sdk.v3 import B2Api, InMemoryAccountInfo

from devstack.emulator.credentials import Credentials
from models.recordings import Recording
from tests.browser.chromium import Chromium, Page
from tests.browser.watch.lesson import CAP, HEIGHT, LEFT, RIGHT, RULER, SECONDS, WIDTH, LessonFiles, make_lesson
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import wait_for
from worker.access.issue_token import issue_token
from worker.canvases.engine import skia
from worker.canvases.lettering.fonts import FAMILIES, font_path
from worker.database import Database
from worker.media.processes.binaries import find_binaries
from worker.recordings.objects.names import play_prefix, recording_prefix
from worker.recordings.outputs.renditions import ready, set_rendition
from worker.settings import Settings
from worker.workflows.context import WorkerContext

_KEY = "a key of the platform in tests, long enough"
FLOWER = "https://flower.astegni.example/"
_SHA1 = "0123456789abcdef0123456789abcdef01234567"
_PLAYERS = {
    "corsRuleName": "players",
    "allowedOrigins": ["*"],
    "allowedOperations": ["b2_download_file_by_name"],
    "allowedHeaders": ["range"],
    "exposeHeaders": ["content-length", "content-range", "accept-ranges"],
    "maxAgeSeconds": 3600,
}
_CHAPTERS = [{"start_ms": 0, "title": "Halves"}, {"start_ms": 7000, "title": "አንድ አራተኛ"}]
_CAPTIONS = "WEBVTT\n\n00:00.000 --> 00:11.000\nሰላም ተማሪዎች\n"
# When what a page shows of the lesson is there.
READY = {
    "watch": "document.querySelectorAll('#chapterList button').length === 2",
    "index": "document.querySelector('#recordingList a') && !document.getElementById('week').hidden",
    "record": "document.querySelectorAll('#session option').length",
    "plain": "document.querySelectorAll('ol li').length",
    "pack": "document.querySelectorAll('#chapterList button').length === 2",
}
_RECORDING = (
    "INSERT INTO whiteboard_session_recordings (session_id, recording_title, recording_type, duration_seconds, "
    "is_available, source_sha1) VALUES (:session, 'Fractions', 'board', :seconds, true, :sha1) RETURNING id"
)
# Faults of the page, and requests that its policy refuses.
WATCHED = (
    "window.faults = []; addEventListener('error', (event) => faults.push(event.message));"
    "addEventListener('unhandledrejection', (event) => faults.push(String(event.reason?.stack || event.reason)));"
    "addEventListener('securitypolicyviolation', (event) => faults.push(event.blockedURI));"
)
# The bytes that lessons have moved in this browser this month.
MONTH = "Number(localStorage.getItem(`watch-bytes-${new Date().toISOString().slice(0, 7)}`))"


@dataclass(frozen=True)
class Lesson:
    """A recording in the database and its objects in the bucket."""

    api: str
    token: str
    recording: int
    session: int
    booking: int
    settings: Settings
    context: WorkerContext
    files: LessonFiles

    @property
    def url(self) -> str:
        return f"{self.api}/watch/{self.recording}"

    def lengthen(self, seconds: int) -> None:
        """Let the recording be this long."""
        with self.context.database.transaction() as session:
            session.get_one(Recording, self.recording).duration_seconds = seconds

    def put(
        self,
        name: str,
        path: Path,
        mime: str,
        codecs: str | None = None,
        encoding: str | None = None,
        tiles: dict[str, Any] | None = None,
    ) -> int:
        """Store a file as this rendition; returns its size."""
        prefix = play_prefix(recording_prefix(self.session, self.recording), _SHA1)
        stored = self.context.store.upload(path, f"{prefix}{path.name}", content_type=mime, content_encoding=encoding)
        columns = ready(stored) | {"mime": mime, "codecs": codecs, "duration_ms": SECONDS * 1000, "tiles": tiles}
        with self.context.database.transaction() as session:
            set_rendition(session, self.recording, name, **columns)
        return stored.size

    def put_strokes(self) -> int:
        """The strokes and the voice; returns what they cost."""
        strokes = self.put("replay", self.files.replay, "application/json", encoding="gzip")
        return strokes + self.put("audio", self.files.audio, "audio/webm", "opus")

    def put_film_and_sound(self) -> int:
        """A film without sound, and the sound; returns what they cost."""
        sound = self.put("audio", self.files.audio, "audio/webm", "opus")
        return sound + self.put("360p", self.files.film, "video/mp4", "avc1.4d401e")

    def put_playback(self) -> int:
        """Film and sound in one file."""
        return self.put("playback", self.files.playback, "video/webm", "vp8,opus")


@pytest.fixture(scope="session")
def lesson_files(tmp_path_factory: pytest.TempPathFactory) -> LessonFiles:
    return make_lesson(
        find_binaries(Settings(database_url="postgresql://none/none")), tmp_path_factory.mktemp("lesson")
    )


@pytest.fixture
def lesson(
    school: School,
    settings: MakeSettings,
    processes: Processes,
    database: Database,
    database_url: str,
    redis_url: str,
    b2: Credentials,
    sql: Sql,
    lesson_files: LessonFiles,
) -> Lesson:
    """A recording without renditions; the test stores those that it needs."""
    of_api = settings(secret_key=_KEY, spool_reserve_bytes=0, flower_url=FLOWER)
    api, _process = processes.api(of_api)
    _let_pages_read(b2)
    token = issue_token(of_api.signing_key, sub=school.tutor.user_id, role="tutor", role_ids={"tutor": 11})
    session = _session_of(api, token, school.booking_id)
    [(recording,)] = sql(_RECORDING, session=session, seconds=SECONDS, sha1=_SHA1)
    return Lesson(
        api, token, recording, session, school.booking_id, of_api, WorkerContext(of_api, database), lesson_files
    )


def fetch_pack(lesson: Lesson, processes: Processes) -> bytes:
    """Start a worker, order the pack and download it."""
    processes.worker(lesson.settings)
    with httpx2.Client(headers={"Authorization": f"Bearer {lesson.token}"}) as client:

        def made() -> dict[str, object] | None:
            response = client.get(f"{lesson.api}/v1/recordings/{lesson.recording}/pack")
            assert response.status_code in (200, 202), response.text
            return dict(response.json()) if response.status_code == 200 else None

        document = wait_for(made, pause=0.3, details=processes.logs)
    response = httpx2.get(str(document["url"]))
    assert response.headers["content-type"] == "text/html; charset=windows-1252"
    assert response.headers["content-disposition"].startswith("attachment")
    assert len(response.content) == document["bytes"]
    return response.content


@pytest.fixture
def address_of(lesson: Lesson, processes: Processes, tmp_path: Path) -> Callable[[str], str]:
    """The address of a page of the lesson, which has strokes, a voice, chapters and captions."""
    lesson.put_strokes()
    lesson.put_playback()
    headers = {"Authorization": f"Bearer {lesson.token}"}
    api = f"{lesson.api}/v1/recordings/{lesson.recording}"
    assert httpx2.put(f"{api}/chapters", json={"chapters": _CHAPTERS}, headers=headers).status_code == 200
    assert httpx2.put(f"{api}/captions/am", content=_CAPTIONS.encode(), headers=headers).status_code == 200

    def address(name: str) -> str:
        if name == "plain":
            return str(httpx2.post(f"{api}/plain", headers=headers).json()["url"])
        if name == "pack":
            path = tmp_path / "lesson.html"
            path.write_bytes(fetch_pack(lesson, processes))
            return path.as_uri()
        return {"watch": lesson.url, "index": f"{lesson.api}/", "record": f"{lesson.api}/record"}[name]

    return address


@pytest.fixture(scope="session")
def running_browser(chromium_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    home = tmp_path_factory.mktemp("chromium")
    (home / ".fonts").mkdir()
    # As every phone there has one.
    shutil.copy(font_path(FAMILIES["Noto Sans Ethiopic"]), home / ".fonts" / "NotoSansEthiopic.ttf")
    browser = Chromium(chromium_program, home, "--autoplay-policy=no-user-gesture-required")
    yield browser
    browser.close()


@pytest.fixture
def browser(running_browser: Chromium) -> Iterator[Chromium]:
    """A browser in which nothing is stored: each page is a person's of its own."""
    yield running_browser
    running_browser.close_pages()


@dataclass(frozen=True)
class Viewer:
    """Somebody who looks at a page that plays a lesson."""

    page: Page

    def run(self, script: str) -> Any:
        return self.page.run(script)

    def wait(self, condition: str) -> Any:
        """Wait until the script's result is true."""
        return wait_for(
            lambda: self.page.run(f"Boolean({condition})"),
            pause=0.1,
            details=lambda: (condition, self.page.run("[document.body.innerText, window.faults]")),
        )

    def click(self, element: str) -> None:
        self.run(f"document.getElementById('{element}').click()")

    def text(self, element: str) -> str:
        return str(self.run(f"document.getElementById('{element}').textContent"))

    def time(self) -> float:
        """The time of the sound or film, in seconds."""
        return float(
            self.run(
                "Math.max(document.getElementById('voice').currentTime, document.getElementById('film').currentTime)"
            )
        )

    def shown_time(self) -> float:
        """The time that the picture shows: how long its ruler is."""
        box = self.run(
            "(({ x, y, width, height }) => ({ x, y: y + scrollY, width, height, scale: 1 }))"
            "(document.getElementById('picture').getBoundingClientRect())"
        )
        shot = self.page.call("Page.captureScreenshot", {"format": "png", "clip": box, "captureBeyondViewport": True})
        pixels = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(b64decode(shot["data"]))).toarray()
        cap = CAP if self.run("document.getElementById('board').checkVisibility()") else 0.0
        return ruler_time(pixels, cap)

    def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            self.page.call("Input.dispatchKeyEvent", {"type": kind, "key": key, "windowsVirtualKeyCode": code})


def ruler_time(pixels: np.ndarray[Any, Any], cap: float) -> float:
    """How long the ruler is in this picture, in seconds; `cap` is what it has beyond its end."""
    height, width = pixels.shape[:2]
    scale = min(width / WIDTH, height / HEIGHT)
    left, top = (width - WIDTH * scale) / 2, (height - HEIGHT * scale) / 2
    row = pixels[round(top + HEIGHT * RULER * scale), :, :3].astype(int)
    page = row[round(left + WIDTH * 0.01 * scale) : round(left + WIDTH * 0.99 * scale)]
    inked = np.flatnonzero(page.sum(axis=1) < 500)
    if len(page) == 0 or page[0].sum() < 500:
        # There is no page yet.
        return -1.0
    if not len(inked):
        return 0.0
    end = inked[-1] / scale / WIDTH + 0.01
    return float((end - cap - LEFT) / (RIGHT - LEFT) * SECONDS)


Open = Callable[..., Viewer]


@pytest.fixture
def open_lesson(lesson: Lesson, browser: Chromium) -> Open:
    """`open_lesson(width=…)`: the lesson's page, with the tutor's token in the browser's storage."""

    def open_page(*, width: int = 900, token: bool = True, before: str = "") -> Viewer:
        page = browser.page()
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", size)
        kept = f"localStorage.setItem('token', '{lesson.token}');" if token else ""
        page.run_before_each_load(f"if (location.protocol === 'http:') {{ {kept} }} {WATCHED} {before}")
        page.open(lesson.url)
        return Viewer(page)

    return open_page


def show_page(
    lesson: Lesson, browser: Chromium, address_of: Callable[[str], str], name: str, size: tuple[int, int]
) -> Page:
    """The page of this name, for the tutor, in a window of this size, with everything it shows of the lesson."""
    page = browser.page()
    page.run_before_each_load(f"{WATCHED} localStorage.setItem('token', '{lesson.token}');" if name != "pack" else "0")
    resize(page, *size)
    page.open(address_of(name))
    wait_for(lambda: page.run(f"Boolean({READY[name]})"), details=lambda: page.run("document.body.innerText"))
    return page


def resize(page: Page, width: int, height: int = 900) -> None:
    """Give the page a window of this size."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.call("Emulation.setDeviceMetricsOverride", size)
    page.call("Emulation.setScrollbarsHidden", {"hidden": True})


def _session_of(api: str, token: str, booking_id: int) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    response = httpx2.post(f"{api}/v1/whiteboard/sessions", json={"booking_id": booking_id}, headers=headers)
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


def _let_pages_read(b2: Credentials) -> None:
    """Give the bucket the CORS rule that docs/operations.md names."""
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(b2.key_id, b2.application_key, realm=b2.realm)
    api.get_bucket_by_name(b2.bucket).update(cors_rules=[_PLAYERS])
