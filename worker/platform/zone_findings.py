"""Sentences about a zone: why it is not proven, what was measured, which others would fit."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal

from worker.platform.zone_claims import ZoneClaim
from worker.platform.zone_comparison import ZoneComparison, compare_zone
from worker.platform.zone_rows import ZoneEvidence
from worker.zone_names import zone_names

Level = Literal["ok", "WARNING", "CANNOT"]
Line = tuple[Level, str]


def zone_refusal(claim: ZoneClaim, comparison: ZoneComparison) -> str:
    """Why the zone of a claim is not accepted."""
    calls, requests = comparison.calls, comparison.requests
    if calls.agrees:
        people = f"{requests.before} of {requests.people} people"
        return f"in {comparison.zone}, by {claim.source}, {people} asked for lessons before they had an account"
    if not calls.contradicting:
        return f"{calls.rows} end of a call by both clocks is too few"
    return (
        f"{comparison.zone}, by {claim.source}, is not the zone of {calls.contradicting} of {calls.rows} ends of calls"
    )


def unnamed_zone(claims: Sequence[ZoneClaim]) -> str:
    """What the server says instead of a zone's name."""
    texts = ", ".join(f"{claim.text} ({claim.source})" for claim in claims) or "nothing"
    return f"the server says {texts}, which is not the name of a zone"


def zone_warnings(comparison: ZoneComparison) -> Iterator[Line]:
    """What weakens a proof."""
    if not comparison.calls.both_halves:
        yield "WARNING", "all ends of calls are from one half of the year: other daylight saving would fit as well"
    if not comparison.requests.confirms:
        yield "WARNING", "one measurement alone: nobody asked for lessons within an hour of signing up"


def zone_measurements(evidence: ZoneEvidence, comparison: ZoneComparison) -> Iterator[Line]:
    """What was measured, compared with a zone."""
    calls, requests = comparison.calls, comparison.requests
    if evidence.no_calls is None:
        months = ", ".join(f"{year}-{month:02}: {number}" for (year, month), number in calls.months)
        text = f"{calls.rows - calls.contradicting} of {calls.rows} ends of calls have the offset of {comparison.zone}"
        imprecise = f"; {calls.imprecise} more by browsers whose clock is wrong" if calls.imprecise else ""
        yield "ok", f"{text} ({months}){imprecise}"
    if evidence.no_requests is not None:
        yield "ok", f"requests: {evidence.no_requests}"
    elif requests.people:
        closest = "" if requests.closest is None else f", the soonest {round(requests.closest.total_seconds())} s after"
        yield (
            "ok",
            f"{requests.before} of {requests.people} people asked for lessons before they had an account{closest}",
        )


def zone_alternatives(evidence: ZoneEvidence) -> str:
    """Zones that fit all measurements, as a hint: each is one of many with the same rules."""
    if not evidence.offsets:
        return ""
    fitting = [name for name in zone_names() if _is_place(name) and compare_zone(evidence, name).agrees]
    if not fitting:
        seen = sorted({offset.ahead / timedelta(hours=1) for offset in evidence.offsets})
        return f"; no zone fits, measured were {', '.join(f'{hours:+g} h' for hours in seen)}"
    others = f" and {len(fitting) - 3} others" if len(fitting) > 3 else ""
    return f"; what was measured fits {', '.join(fitting[:3])}{others}"


def _is_place(name: str) -> bool:
    return "/" in name and not name.startswith("Etc/")
