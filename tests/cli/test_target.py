"""The servers that commands use."""

from typing import Any

import pytest

from worker.cli.runfile import published_runfile
from worker.cli.target import settings_with_stack
from worker.settings import Settings


def test_what_the_environment_does_not_name_is_that_of_the_running_stack(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert settings_with_stack() == (Settings(), None)
    b2 = {"realm": "http://b2", "key_id": "k", "application_key": "s", "bucket": "b"}
    facts = {"api": "http://api", "database_url": "postgresql://d", "redis_url": "redis://r", "b2": b2, "mailbox": None}
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    with published_runfile(facts):
        settings, stack = settings_with_stack()
    assert stack == "http://api"
    assert (settings.database_url, settings.redis_url) == ("postgresql://d", "redis://mine")
    assert (settings.backblaze_key_id, settings.backblaze_bucket_name) == ("k", "b")
