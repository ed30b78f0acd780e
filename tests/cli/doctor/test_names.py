"""Environment variables whose names resemble settings."""

import pytest

from worker.cli.doctor.check_warning import CheckWarning
from worker.cli.doctor.names import check_names, mistyped_names
from worker.settings import Settings


def test_a_mistyped_name_is_told_with_what_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKBLAZE_BUCKET", "hush")
    with pytest.raises(CheckWarning, match=r"^BACKBLAZE_BUCKET is no setting: is BACKBLAZE_BUCKET_NAME meant") as doubt:
        check_names(Settings())
    assert "hush" not in doubt.value.detail
    monkeypatch.delenv("BACKBLAZE_BUCKET")
    assert check_names(Settings(smtp_host="x")).startswith("1 are set")


@pytest.mark.parametrize("name", ["PATH", "READY_FILE", "ASTEGNI_TOKEN", "API_PORT_8090_TCP", "smtp_host", "REDIS"])
def test_other_names_are_others_business(name: str) -> None:
    assert mistyped_names([name]) == []
