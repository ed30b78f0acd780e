"""Which workers dispatch."""

from types import SimpleNamespace

import pytest

from tests.conftest import MakeSettings
from worker.app import create_app
from worker.processes.reminder_dispatcher import DispatchReminders


@pytest.mark.parametrize(("queues", "dispatches"), [(["default", "reminders"], True), (["media", "default"], False)])
def test_only_workers_that_consume_the_queue_dispatch(
    settings: MakeSettings, queues: list[str], dispatches: bool
) -> None:
    app = create_app(settings(redis_url="redis://127.0.0.1:1/0"))
    app.amqp.queues.select(queues)
    parent = SimpleNamespace(app=app)
    assert DispatchReminders(parent).include_if(parent) is dispatches
