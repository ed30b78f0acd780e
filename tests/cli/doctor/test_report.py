"""The report as lines and as JSON, and which of several results determines the state."""

from worker.cli.doctor.check_warning import CheckWarning
from worker.cli.doctor.report import as_document, run_checks, worst_of
from worker.errors import Misconfigured
from worker.settings import Settings


def _warn(_settings: Settings) -> str:
    raise CheckWarning("Look here.")


def _fault(_settings: Settings) -> str:
    raise Misconfigured("Fix this.")


def test_the_worst_decides() -> None:
    fine = list(run_checks({"a": lambda _settings: "well"}, Settings()))
    warned = list(run_checks({"b": _warn}, Settings()))
    broken = list(run_checks({"c": _fault}, Settings()))
    assert [worst_of(results) for results in ([], fine, fine + warned, broken + warned)] == [
        "ok",
        "ok",
        "warning",
        "failed",
    ]
    assert [result.line.split()[:2] for result in fine + warned + broken] == [
        ["a", "ok"],
        ["b", "WARNING"],
        ["c", "FAILED"],
    ]
    assert as_document(broken, None) == {
        "state": "failed",
        "stack": None,
        "checks": [{"name": "c", "state": "failed", "detail": "Fix this."}],
    }


def test_a_check_that_ends_unexpectedly_does_not_end_the_others() -> None:
    checks = {"a": lambda settings: str(int(settings.timezone)), "b": lambda _settings: "well"}
    unexpected, fine = run_checks(checks, Settings())
    assert (unexpected.state, unexpected.detail) == ("failed", "The check itself ended with an unexpected ValueError.")
    assert fine.state == "ok"
