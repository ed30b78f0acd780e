"""Work during a rolling restart: boards are drawn and messages are sent, one after the other."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import httpx2 as httpx

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.uploads.recording_thread import RecordingThread
from worker import clock
from worker.reminders.delivery.test_messages import order_test

_AGAIN = 0.3
_PAUSE = 0.5
_POINTS = [{"x": 100, "y": 100}, {"x": 300, "y": 200}]
_STROKE = {"stroke_type": "pen", "stroke_data": {"points": _POINTS, "color": "#123456", "strokeWidth": 3}}


class BoardsAndMessages(RecordingThread):
    """Draws strokes, and a picture of the board, and orders a message by mail; each until it is answered."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        # Names of the strokes that the API has acknowledged, and ids of the deliveries that were ordered.
        self.strokes: set[str] = set()
        self.deliveries: set[int] = set()
        self.snapshots: set[str] = set()
        self._environment = environment
        self._session = environment.new_session()

    def _record_all(self) -> None:
        page = self._ask(f"/v1/whiteboard/sessions/{self._session}/pages", {}).json()["id"]
        number = 0
        while not self._is_over:
            number += 1
            strokes = [{"client_id": f"stroke-{number}-{n}", **_STROKE} for n in range(5)]
            self._ask(f"/v1/whiteboard/pages/{page}/strokes", {"strokes": strokes})
            self.strokes |= {str(stroke["client_id"]) for stroke in strokes}
            if number % 4 == 1:
                self.snapshots.add(self._ask(f"/v1/whiteboard/pages/{page}/snapshot", {}).json()["job_id"])
            with self._environment.database.transaction() as session:
                self.deliveries.add(order_test(session, 1, "email", now=clock.now(), good_for=timedelta(minutes=30)))
            time.sleep(_PAUSE)

    def _ask(self, path: str, body: object) -> httpx.Response:
        """The response; a request that the API breaks off, or that meets none, is made again."""
        return _until_answered(lambda: self._environment.http.post(path, json=body))


def _until_answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    while True:
        with suppress(httpx.TransportError):
            response = ask()
            if response.status_code < 500:
                response.raise_for_status()
                return response
        time.sleep(_AGAIN)
