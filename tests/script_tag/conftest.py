"""A lesson on two pages of the platform that load `/astegni.js`: two people in one browser, a real API, no mock."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import insert

from devstack.emulator.credentials import Credentials
from devstack.process import ChildProcess
from models.bookings import Booking
from models.people import StudentProfile, TutorProfile, User
from tests.browser.chromium import Chromium, Page
from tests.conftest import MakeSettings, Processes
from tests.script_tag.fake_platform import Claims, FakePlatform, serving
from tests.waiting import wait_for
from worker.database import Database
from worker.settings import Settings

TUTOR: Claims = {"sub": "11", "role": "tutor", "role_ids": {"tutor": "14", "student": "21", "parent": None}}
STUDENT: Claims = {"sub": "12", "role": "student", "role_ids": {"tutor": "16", "student": "11", "parent": None}}
_KEY = "a key of the platform in tests, long enough"
# Camera and microphone of nobody, without a question to the person.
_MEDIA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="module")
def browser(chromium_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser of the module's tests; each person has a context of their own."""
    browser = Chromium(chromium_program, tmp_path_factory.mktemp("chromium"), *_MEDIA)
    yield browser
    browser.close()


class BoardPage:
    """Somebody's page with the whiteboard."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.load()

    def load(self) -> None:
        """Load the page, or load it again."""
        self.page.open("about:blank")
        self.page.open(self.url)
        self.run(
            "window.errors = []; addEventListener('error', (event) => errors.push(event.message));"
            "addEventListener('unhandledrejection', (event) => errors.push(String(event.reason)));"
            "window.confirm = () => true; window.logged = [];"
            "console.debug = (...words) => logged.push(words.map((word) => word?.stack || String(word)).join(' ')); 0"
        )

    def run(self, script: str) -> Any:
        return self.page.run(script)

    def wait(self, condition: str, details: str = "null") -> Any:
        """Wait until the script's result is true."""
        script = f"Promise.resolve({condition}).then(Boolean)"
        return wait_for(lambda: self.run(script), details=lambda: (condition, self.run(details), self.run("logged")))

    def press(self, selector: str) -> None:
        """Click an element with the mouse, once it is there."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        x, y = self.run(f"(({_CENTRE})({json.dumps(selector)}))")
        self.page.click(x, y)

    def open_board(self) -> None:
        self.press("#openBoard")
        self.wait("whiteboardManager.getOtherParty() && whiteboardManager.ws?.readyState === 1")

    def wait_for_session(self, last: int = 0) -> None:
        """Wait for a session behind `last`, and its page."""
        self.wait(f"whiteboardManager.currentSession?.id > {last} && whiteboardManager.currentPage.id > 0")

    def expect_call(self) -> None:
        """Note when the page has connected the next call: whoever is called loads their session twice."""
        self.run(_NOTE_CALL)

    def wait_for_call(self, last: int = 0) -> None:
        """Wait until the call is connected, with a session behind `last`: what is drawn earlier, the page forgets."""
        self.wait("callIsConnected")
        self.wait_for_session(last)

    def call_alone(self) -> None:
        """Call on a page with the option `alone`."""
        self.expect_call()
        self.press("#startVideoSessionBtn")
        self.wait_for_call()

    def draw(self, *points: tuple[float, float]) -> None:
        """Draw a line through these points of the board."""
        left, top = self.run(f"({_CORNER})('#whiteboardCanvas')")
        before = self.run("whiteboardManager.currentPage.strokes.length")
        self.page.drag([(left + x, top + y) for x, y in points])
        self.wait(f"whiteboardManager.currentPage.strokes.length > {before}")

    def send(self) -> None:
        """Wait until everything that happened here is at the worker."""
        self.wait("astegni.send().then(astegni.pending).then((rest) => !rest.length)", "astegni.pending()")

    @property
    def errors(self) -> Any:
        return self.run("errors")


_NOTE_CALL = """
window.callIsConnected = false;
whiteboardManager.onCallConnected = async function () {
  delete this.onCallConnected;
  await this.onCallConnected();
  window.callIsConnected = true;
}; 0
"""
_CORNER = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({block: 'start', behavior: 'instant'});
  const {left, top} = element.getBoundingClientRect();
  return [left, top];
}"""
_CENTRE = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({block: 'center', behavior: 'instant'});
  const {left, top, width, height} = element.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}"""


@dataclass
class Lesson:
    """The platform, the worker's API, and the pages that are opened."""

    platform: FakePlatform
    settings: Settings
    api: str
    process: ChildProcess
    browser: Chromium

    @property
    def tag(self) -> str:
        return f"{self.api}/astegni.js"

    def page(self, role: str, *options: str, page: Page | None = None, tag: str | None = None) -> BoardPage:
        """A person's page, with the board open."""
        claims, other = (TUTOR, 11) if role == "tutor" else (STUDENT, 14)
        url = self.platform.page_url(role, claims, other, tag or self.tag, *options)
        opened = BoardPage(page or self.browser.page(), url)
        opened.open_board()
        return opened

    def tutor(self, *options: str, **arguments: Any) -> BoardPage:
        return self.page("tutor", *options, **arguments)

    def student(self, *options: str, **arguments: Any) -> BoardPage:
        return self.page("student", *options, **arguments)

    def call(self, caller: BoardPage, callee: BoardPage) -> None:
        """A call between two open boards, until both sides have their session."""
        shown = [side.run("whiteboardManager.currentSession?.id ?? 0") for side in (caller, callee)]
        for side in (caller, callee):
            side.expect_call()
        caller.press("#startVideoSessionBtn")
        callee.wait("document.querySelector('#startVideoSessionBtn.incoming-call')")
        callee.press("#startVideoSessionBtn")
        for side, last in zip((caller, callee), shown, strict=True):
            side.wait_for_call(last)


@pytest.fixture
def people(database: Database) -> None:
    """The tutor and the student of the pages, and their booking."""
    with database.transaction() as session:
        session.add_all(User(id=user_id, first_name="Name", email=f"{user_id}@example.org") for user_id in (11, 12))
        session.flush()
        session.add_all(
            [
                TutorProfile(id=14, user_id=11),
                StudentProfile(id=11, user_id=12),
                TutorProfile(id=16, user_id=12),
                StudentProfile(id=21, user_id=11),
            ]
        )
        session.flush()
        session.execute(insert(Booking).values(tutor_id=14, student_id=11, subject="Mathematics"))


@pytest.fixture
def fake_platform() -> Iterator[FakePlatform]:
    """The platform's own API, which the pages call."""
    with serving(FakePlatform(_KEY)) as platform:
        yield platform


@pytest.fixture
def cors(fake_platform: FakePlatform) -> tuple[str, ...]:
    """The origins that the API allows."""
    return (fake_platform.url,)


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """Further settings of the API."""
    return {}


@pytest.fixture
def lesson(
    people: None,
    fake_platform: FakePlatform,
    settings: MakeSettings,
    processes: Processes,
    browser: Chromium,
    cors: tuple[str, ...],
    more_settings: dict[str, Any],
    database_url: str,
    redis_url: str,
    b2: Credentials,
) -> Iterator[Lesson]:
    """The API of a lesson, for pages of another origin. In the end its pages are closed: they would go on asking."""
    chosen = settings(secret_key=_KEY, cors_origins=cors, spool_reserve_bytes=0, **more_settings)
    api, process = processes.api(chosen)
    yield Lesson(fake_platform, chosen, api, process, browser)
    browser.close_pages()
