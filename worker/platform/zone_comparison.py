"""Compare a zone with everything that was measured on the platform's server."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from worker.platform.zone_evidence import CallEvidence, RequestEvidence, compare_calls, compare_requests
from worker.platform.zone_rows import ZoneEvidence


@dataclass(frozen=True)
class ZoneComparison:
    """How one zone agrees with everything that was measured."""

    zone: str
    calls: CallEvidence
    requests: RequestEvidence

    @property
    def agrees(self) -> bool:
        return self.calls.agrees and not self.requests.contradicts

    @property
    def is_contradicted(self) -> bool:
        return self.requests.contradicts or (self.calls.contradicting > 0 and not self.calls.agrees)


def compare_zone(evidence: ZoneEvidence, name: str) -> ZoneComparison:
    """Compare a zone with what was measured."""
    zone = ZoneInfo(name)
    calls = compare_calls(evidence.offsets, evidence.imprecise, zone)
    return ZoneComparison(name, calls, compare_requests(evidence.requests, zone))
