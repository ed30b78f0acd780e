"""Settings that decide when jobs are published, renewed, retried and deleted."""

from typing import Self

from pydantic import Field, model_validator

from worker.settings.group import YEAR, Interval, Retention, SettingsGroup


class JobSettings(SettingsGroup):
    """The settings of the ledger. Durations are seconds."""

    # --- jobs
    relay_interval: Interval = Field(1.0, description="How often due jobs are published.")
    reaper_interval: Interval = Field(2.0, description="How often run-out leases are taken back.")
    published_lease: Interval = Field(
        10.0, description="Wait before a published job is published again; doubles from the third publication on."
    )
    published_lease_max: Interval = Field(600.0, description="Longest such wait.")
    run_lease: Interval = Field(30.0, description="A running job without a pulse this long is lost.")
    lease_renewal: Interval = Field(10.0, description="How often a running job renews its lease.")
    pulse_interval: Interval = Field(2.0, description="How often progress is written and a cancel is noticed.")
    heartbeat_interval: Interval = Field(10.0, description="How often each part of a worker and beat show they live.")
    queue_check_interval: Interval = Field(
        30.0, description="How often a job that does nothing goes through each queue, to show that it works."
    )
    storage_check_interval: Interval = Field(30.0, description="How often media workers ask whether B2 answers.")
    retry_base: Interval = Field(5.0, description="First wait of the exponential back-off.")
    job_retention: Retention = Field(30 * 86_400, description="How long finished jobs are kept.")
    routine_job_retention: Retention = Field(86_400, description="How long succeeded jobs of the timetable are kept.")
    dead_job_retention: Retention = Field(180 * 86_400, description="How long dead jobs are kept.")
    idempotency_retention: Retention = Field(86_400, description="How long an Idempotency-Key is remembered.")
    operator_access_retention: Retention = Field(
        2 * 365 * 86_400, ge=86_400, description="How long it is kept which operator asked for what."
    )
    orphan_age: int = Field(86_400, ge=0, le=10 * YEAR, description="Age at which an object no row names is swept.")
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
