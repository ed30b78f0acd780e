"""The pack of a lesson, as a worker makes it."""

import httpx2

from tests.browser.watch.conftest import Lesson
from tests.conftest import Processes
from tests.waiting import wait_for


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
