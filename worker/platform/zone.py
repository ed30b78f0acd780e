"""The time zone of the platform's server, proven by its rows before any time that its SQL wrote is believed.

What the server says (`SHOW timezone`, settings of roles) is a claim. Ends of calls are one measurement, requests after
sign-ups another. A fixed number of hours would be wrong for half of the year, so only the name of a zone counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from worker import clock
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection
from worker.platform.zone_claims import ZoneClaim, read_claims
from worker.platform.zone_evidence import CallEvidence, RequestEvidence, compare_calls, compare_requests
from worker.platform.zone_rows import ZoneEvidence, read_evidence
from worker.recurrence.instants import instant
from worker.zone_names import zone_names

_PROVEN_FOR, _UNPROVEN_FOR = timedelta(hours=6), timedelta(minutes=10)

Level = Literal["ok", "WARNING", "CANNOT"]
_Line = tuple[Level, str]


class ServerZone:
    """The zone in which the platform's SQL writes times without a zone."""

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)

    @property
    def name(self) -> str:
        """The IANA name."""
        return self._zone.key

    def instant(self, written: datetime) -> datetime:
        """The instant, in UTC, of a time that SQL wrote; the first of two for one that came twice."""
        if written.tzinfo is not None:
            return written
        return instant(written.date(), written.time(), self._zone)


@dataclass(frozen=True)
class ZoneProof:
    """What is known of the server's zone. `zone` is None while it is not proven; `lines` say why, and what was seen."""

    zone: ServerZone | None
    lines: Sequence[_Line]


class PlatformZone:
    """The proof, measured again every six hours, or every ten minutes while there is none."""

    def __init__(self, connection: PlatformConnection, setting: str | None) -> None:
        self._connection = connection
        self._setting = setting
        self._proof: tuple[datetime, ZoneProof] | None = None

    def proof(self) -> ZoneProof:
        """The newest proof. Raises Unavailable when it has to be measured and the platform does not answer."""
        now = clock.now()
        if self._proof is not None:
            measured_at, proof = self._proof
            if now - measured_at < (_UNPROVEN_FOR if proof.zone is None else _PROVEN_FOR):
                return proof
        proof = prove_zone(self._connection, Catalog.read(self._connection), self._setting)
        self._proof = now, proof
        return proof


def prove_zone(connection: PlatformConnection, catalog: Catalog, setting: str | None = None) -> ZoneProof:
    """Measure, and compare with `setting` (PLATFORM_TIMEZONE), else with what the server says. Raises Unavailable."""
    evidence = read_evidence(connection, catalog)
    if setting is not None:
        return _overridden(evidence, setting)
    return _judge(evidence, read_claims(connection))


@dataclass(frozen=True)
class _Comparison:
    """One zone beside everything that was measured."""

    zone: str
    calls: CallEvidence
    requests: RequestEvidence

    @property
    def agrees(self) -> bool:
        return self.calls.agrees and not self.requests.contradicts

    @property
    def is_contradicted(self) -> bool:
        return self.requests.contradicts or (self.calls.contradicting > 0 and not self.calls.agrees)


def _compare(evidence: ZoneEvidence, name: str) -> _Comparison:
    zone = ZoneInfo(name)
    calls = compare_calls(evidence.offsets, evidence.imprecise, zone)
    return _Comparison(name, calls, compare_requests(evidence.requests, zone))


def _overridden(evidence: ZoneEvidence, name: str) -> ZoneProof:
    comparison = _compare(evidence, name)
    text = f"{name}, set by PLATFORM_TIMEZONE, which overrides the proof"
    unconfirmed = f"; nothing confirms it: {evidence.no_calls}" if evidence.no_calls else ""
    first: _Line = ("ok", text + unconfirmed)
    if comparison.is_contradicted:
        first = ("WARNING", f"{text}; what was measured contradicts it{_alternatives(evidence)}")
    return ZoneProof(ServerZone(name), [first, *_measurements(evidence, comparison)])


def _judge(evidence: ZoneEvidence, claims: Sequence[ZoneClaim]) -> ZoneProof:
    comparisons = [(claim, _compare(evidence, claim.zone)) for claim in claims if claim.zone is not None]
    for claim, comparison in comparisons:
        if comparison.agrees:
            sides = " on both sides of a change of clocks" if comparison.calls.both_halves else ""
            first: _Line = ("ok", f"{comparison.zone}, by {claim.source}, agrees with the rows{sides}")
            lines = [first, *_doubts(comparison), *_measurements(evidence, comparison)]
            return ZoneProof(ServerZone(comparison.zone), lines)
    reason = evidence.no_calls or (_refusal(*comparisons[0]) if comparisons else _no_name(claims))
    text = (
        f"not proven: {reason}. Lessons and boards wait, people come in. PLATFORM_TIMEZONE sets the zone where it"
        f" cannot be proven{_alternatives(evidence)}"
    )
    details = _measurements(evidence, comparisons[0][1]) if comparisons else ()
    return ZoneProof(None, [("CANNOT", text), *details])


def _refusal(claim: ZoneClaim, comparison: _Comparison) -> str:
    calls, requests = comparison.calls, comparison.requests
    if calls.agrees:
        people = f"{requests.before} of {requests.people} people"
        return f"in {comparison.zone}, by {claim.source}, {people} asked for lessons before they had an account"
    if not calls.contradicting:
        return f"{calls.rows} end of a call by both clocks is too few"
    return (
        f"{comparison.zone}, by {claim.source}, is not the zone of {calls.contradicting} of {calls.rows} ends of calls"
    )


def _no_name(claims: Sequence[ZoneClaim]) -> str:
    texts = ", ".join(f"{claim.text} ({claim.source})" for claim in claims) or "nothing"
    return f"the server says {texts}, which is not the name of a zone"


def _doubts(comparison: _Comparison) -> Iterator[_Line]:
    if not comparison.calls.both_halves:
        yield "WARNING", "all ends of calls are from one half of the year: other daylight saving would fit as well"
    if not comparison.requests.confirms:
        yield "WARNING", "one measurement alone: nobody asked for lessons within an hour of signing up"


def _measurements(evidence: ZoneEvidence, comparison: _Comparison) -> Iterator[_Line]:
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


def _alternatives(evidence: ZoneEvidence) -> str:
    """Zones that fit all measurements, as a hint: each is one of many with the same rules."""
    if not evidence.offsets:
        return ""
    fitting = [name for name in zone_names() if _is_place(name) and _compare(evidence, name).agrees]
    if not fitting:
        seen = sorted({offset.ahead / timedelta(hours=1) for offset in evidence.offsets})
        return f"; no zone fits, measured were {', '.join(f'{hours:+g} h' for hours in seen)}"
    others = f" and {len(fitting) - 3} others" if len(fitting) > 3 else ""
    return f"; what was measured fits {', '.join(fitting[:3])}{others}"


def _is_place(name: str) -> bool:
    return "/" in name and not name.startswith("Etc/")
