"""The time zone of the platform's server, proven by its rows before any time that its SQL wrote is trusted.

What the server says (`SHOW timezone`, settings of roles) is a claim. The ends of calls are one measurement, requests
after sign-ups another. A fixed offset would be wrong for half of the year, so only a zone's name is accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from worker import clock
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection
from worker.platform.zone_claims import ZoneClaim, read_claims
from worker.platform.zone_comparison import compare_zone
from worker.platform.zone_findings import (
    Line,
    unnamed_zone,
    zone_alternatives,
    zone_measurements,
    zone_refusal,
    zone_warnings,
)
from worker.platform.zone_rows import ZoneEvidence, read_evidence
from worker.recurrence.instants import instant

_PROVEN_FOR, _UNPROVEN_FOR = timedelta(hours=6), timedelta(minutes=10)


class ServerZone:
    """The zone in which the platform's SQL writes times without a zone."""

    def __init__(self, name: str) -> None:
        self._zone = ZoneInfo(name)

    @property
    def name(self) -> str:
        """The IANA name."""
        return self._zone.key

    def local(self, moment: datetime) -> datetime:
        """What the server's clock shows at `moment`, without a zone, as SQL writes it."""
        return moment.astimezone(self._zone).replace(tzinfo=None)

    def instant(self, written: datetime) -> datetime:
        """The UTC instant of a time written by SQL; when clocks were set back, the first of the two."""
        if written.tzinfo is not None:
            return written
        return instant(written.date(), written.time(), self._zone)


@dataclass(frozen=True)
class ZoneProof:
    """What is known about the server's zone. `zone` is None until proven; `lines` say why, and what was measured."""

    zone: ServerZone | None
    lines: Sequence[Line]


class PlatformZone:
    """The proof, measured again every six hours, or every ten minutes while there is none."""

    def __init__(self, connection: PlatformConnection, setting: str | None) -> None:
        self._connection = connection
        self._setting = setting
        self._proof: tuple[datetime, ZoneProof] | None = None

    def proof(self) -> ZoneProof:
        """The newest proof. Raises Unavailable when it must be measured and the platform does not answer."""
        now = clock.now()
        if self._proof is not None:
            measured_at, proof = self._proof
            if now - measured_at < (_UNPROVEN_FOR if proof.zone is None else _PROVEN_FOR):
                return proof
        proof = prove_zone(self._connection, Catalog.read(self._connection), self._setting)
        self._proof = now, proof
        return proof


def prove_zone(connection: PlatformConnection, catalog: Catalog, setting: str | None = None) -> ZoneProof:
    """Measure, and compare with `setting` (PLATFORM_TIMEZONE) or else with the server's claims. Raises Unavailable."""
    evidence = read_evidence(connection, catalog)
    if setting is not None:
        return _overridden(evidence, setting)
    return _judge(evidence, read_claims(connection))


def _overridden(evidence: ZoneEvidence, name: str) -> ZoneProof:
    comparison = compare_zone(evidence, name)
    text = f"{name}, set by PLATFORM_TIMEZONE, which overrides the proof"
    unconfirmed = f"; nothing confirms it: {evidence.no_calls}" if evidence.no_calls else ""
    first: Line = ("ok", text + unconfirmed)
    if comparison.is_contradicted:
        first = ("WARNING", f"{text}; what was measured contradicts it{zone_alternatives(evidence)}")
    return ZoneProof(ServerZone(name), [first, *zone_measurements(evidence, comparison)])


def _judge(evidence: ZoneEvidence, claims: Sequence[ZoneClaim]) -> ZoneProof:
    comparisons = [(claim, compare_zone(evidence, claim.zone)) for claim in claims if claim.zone is not None]
    for claim, comparison in comparisons:
        if comparison.agrees:
            sides = " on both sides of a change of clocks" if comparison.calls.both_halves else ""
            first: Line = ("ok", f"{comparison.zone}, by {claim.source}, agrees with the rows{sides}")
            lines = [first, *zone_warnings(comparison), *zone_measurements(evidence, comparison)]
            return ZoneProof(ServerZone(comparison.zone), lines)
    reason = evidence.no_calls or (zone_refusal(*comparisons[0]) if comparisons else unnamed_zone(claims))
    text = (
        f"not proven: {reason}. Lessons and boards wait, people come in. PLATFORM_TIMEZONE sets the zone where it"
        f" cannot be proven{zone_alternatives(evidence)}"
    )
    details = zone_measurements(evidence, comparisons[0][1]) if comparisons else ()
    return ZoneProof(None, [("CANNOT", text), *details])
