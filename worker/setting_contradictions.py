"""Settings that are valid one by one and cannot work together."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.settings import Settings


def contradictions(settings: "Settings") -> Iterator[str]:
    """A sentence for each combination that cannot work, which names the settings and says why."""
    for is_wrong, sentence in (
        (
            settings.run_lease < 2 * settings.lease_renewal,
            "RUN_LEASE must be at least twice LEASE_RENEWAL: a running job would be lost between two renewals",
        ),
        (
            settings.run_lease <= settings.pulse_interval,
            "RUN_LEASE must be longer than PULSE_INTERVAL, in which leases are renewed",
        ),
        (
            settings.published_lease_max < settings.published_lease,
            "PUBLISHED_LEASE_MAX must be at least PUBLISHED_LEASE: it is the longest of the same waits",
        ),
        (
            (settings.backblaze_key_id is None) is not (settings.backblaze_application_key is None),
            "BACKBLAZE_KEY_ID and BACKBLAZE_APPLICATION_KEY go together: set both or none",
        ),
        (
            (settings.smtp_user is None) is not (settings.smtp_password is None),
            "SMTP_USER and SMTP_PASSWORD go together: set both or none",
        ),
    ):
        if is_wrong:
            yield sentence
