"""What the checks found, as lines or JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from worker.cli.doctor.check_warning import CheckWarning
from worker.errors import AstegniError
from worker.settings import Settings

Check = Callable[[Settings], str]
Severity = Literal["ok", "warning", "failed"]
_MARKS: dict[Severity, str] = {"ok": "ok", "warning": "WARNING", "failed": "FAILED"}
# From the mildest to the worst.
_ORDER: tuple[Severity, ...] = ("ok", "warning", "failed")


@dataclass(frozen=True)
class CheckResult:
    """What one check found: a sentence, with the remedy unless it is `ok`."""

    name: str
    state: Severity
    detail: str

    @property
    def line(self) -> str:
        """The line for a terminal."""
        return f"{self.name:<11}{_MARKS[self.state]:<8}{self.detail}"


def run_checks(checks: Mapping[str, Check], settings: Settings) -> Iterator[CheckResult]:
    """Each check's result, as soon as it is known."""
    for name, check in checks.items():
        try:
            yield CheckResult(name, "ok", check(settings))
        except CheckWarning as warning:
            yield CheckResult(name, "warning", warning.detail)
        except AstegniError as error:
            yield CheckResult(name, "failed", error.detail)
        except Exception as error:  # noqa: BLE001 - the other checks must still run; its text may contain an address
            yield CheckResult(name, "failed", f"The check itself ended with an unexpected {type(error).__name__}.")


def worst_of(results: Sequence[CheckResult]) -> Severity:
    """The worst state of all."""
    return max((result.state for result in results), key=_ORDER.index, default="ok")


def as_document(results: Sequence[CheckResult], stack: str | None) -> dict[str, Any]:
    """The results as JSON values; `stack`: the address of the running stack that completed the settings."""
    return {"state": worst_of(results), "stack": stack, "checks": [asdict(result) for result in results]}
