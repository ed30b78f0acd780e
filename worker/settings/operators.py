"""Settings of what operators watch: Flower, process metrics and logs."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from worker import address_values, setting_values
from worker.settings.group import Host, SettingsGroup

_DSN = re.compile(r"https?://[0-9A-Za-z]+@[0-9A-Za-z.:-]+(?:/[0-9A-Za-z._-]+)*/[0-9]+")


def _upper(level: object) -> object:
    return level.upper() if isinstance(level, str) else level


class OperatorSettings(SettingsGroup):
    """Flower, process metrics and logs."""

    # --- operators
    flower_host: Host = Field("127.0.0.1", description="Address Flower listens on.")
    flower_port: int = Field(5555, ge=0, le=65535, description="Port Flower listens on.")
    flower_url: Annotated[str, AfterValidator(address_values.web_address)] | None = Field(
        None, description="Where operators reach Flower; `GET /` has a link to it for them."
    )
    flower_basic_auth: SecretStr | None = Field(None, description="`user:password` for Flower.")
    metrics_host: Host = Field("127.0.0.1", description="Address a worker's or beat's `/metrics` listens on.")
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of a worker's or beat's `/metrics`, another for each process; none: none.",
    )
    flower_db: Path = Field(Path(".data/flower"), description="Where Flower keeps what it has seen.")
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(address_values.web_address)] | None = Field(
        None, description="OpenTelemetry collector (OTLP over HTTP) that gets spans, like http://127.0.0.1:4318."
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="Sentry project (DSN) that is told of errors that nobody expected, by type and place alone."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", description="DEBUG (of our own modules, libraries from INFO on), INFO, WARNING or ERROR."
    )

    @field_validator("sentry_dsn")
    @classmethod
    def _is_a_project(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _DSN.fullmatch(value.get_secret_value()):
            raise ValueError("must be a DSN like https://key@sentry.example/42, as Sentry shows it for a project")
        return value

    @field_validator("flower_basic_auth")
    @classmethod
    def _has_users_and_passwords(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            setting_values.basic_auth(value.get_secret_value())
        return value
