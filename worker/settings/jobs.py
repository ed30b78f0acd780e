"""Settings that decide when jobs are published, renewed, retried and deleted."""

from typing import Self

from pydantic import Field, model_validator

from worker.settings.group import YEAR, Interval, Retention, SettingsGroup


class JobSettings(SettingsGroup):
    """The settings of the ledger. Durations are seconds."""

    # --- jobs
    relay_interval: Interval = Field(1.0, description="How often the relay publishes due jobs.")
    reaper_interval: Interval = Field(2.0, description="How often the reaper looks for expired leases.")
    published_lease: Interval = Field(
        10.0,
        description=(
            "How long a published job may wait for a worker before it is published again; doubles from the "
            "third publication on."
        ),
    )
    published_lease_max: Interval = Field(600.0, description="Maximum of that wait.")
    run_lease: Interval = Field(30.0, description="A running job that does not renew its lease for this long is lost.")
    lease_renewal: Interval = Field(10.0, description="How often a running job renews its lease.")
    pulse_interval: Interval = Field(
        2.0, description="How often a running job writes its progress and checks for cancellation."
    )
    heartbeat_interval: Interval = Field(
        10.0, description="How often each part of a worker and beat writes its heartbeat."
    )
    queue_check_interval: Interval = Field(
        30.0, description="How often a no-op job goes through each queue, to show that it is consumed."
    )
    storage_check_interval: Interval = Field(30.0, description="How often media workers check that B2 answers.")
    retry_base: Interval = Field(5.0, description="First delay of the exponential backoff.")
    job_retention: Retention = Field(30 * 86_400, description="How long ended jobs are kept.")
    routine_job_retention: Retention = Field(86_400, description="How long succeeded periodic jobs are kept.")
    dead_job_retention: Retention = Field(180 * 86_400, description="How long dead jobs are kept.")
    idempotency_retention: Retention = Field(
        86_400, description="How long responses to requests with an Idempotency-Key are kept."
    )
    operator_access_retention: Retention = Field(
        2 * 365 * 86_400, ge=86_400, description="How long the log of operators' accesses is kept."
    )
    orphan_age: int = Field(
        86_400, ge=0, le=10 * YEAR, description="Age at which an object that no row names is deleted."
    )
    worker_concurrency: int = Field(2, ge=1, le=64, description="Child processes of one worker.")

    @model_validator(mode="after")
    def _leases_outlast_renewals(self) -> Self:
        if self.run_lease < 2 * self.lease_renewal:
            raise ValueError(
                "RUN_LEASE must be at least twice LEASE_RENEWAL: a running job would be lost between two renewals"
            )
        if self.run_lease <= self.pulse_interval:
            raise ValueError("RUN_LEASE must be longer than PULSE_INTERVAL, in which leases are renewed")
        if self.published_lease_max < self.published_lease:
            raise ValueError(
                "PUBLISHED_LEASE_MAX must be at least PUBLISHED_LEASE: it is the longest of the same waits"
            )
        return self
