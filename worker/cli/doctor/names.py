"""Environment variables that resemble a setting but are none: a mistyped name is silently ignored."""

import difflib
import os
from collections.abc import Iterable

from worker.cli.doctor.check_warning import raise_findings
from worker.settings import Settings

# How alike two names must be, from 0 to 1.
_ALIKE = 0.85


def check_names(settings: Settings) -> str:
    """Check the names in the environment; values were checked when the settings were read."""
    raise_findings([], [f"{name} is no setting: is {near} meant?" for name, near in mistyped_names(os.environ)])
    return f"{len(settings.model_fields_set)} are set, the others have their defaults"


def mistyped_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of a name that is no setting and the setting that it resembles."""
    known = [field.upper() for field in Settings.model_fields]
    unknown = sorted(name for name in names if name.upper() not in known)
    pairs = [(name, difflib.get_close_matches(name.upper(), known, 1, _ALIKE)) for name in unknown]
    return [(name, near[0]) for name, near in pairs if near]
