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
        None, description="Address at which operators reach Flower; `GET /` links to it."
    )
    flower_basic_auth: SecretStr | None = Field(None, description="`user:password` for Flower.")
    metrics_host: Host = Field("127.0.0.1", description="Address that `/metrics` of a worker or beat listens on.")
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of `/metrics` of a worker or beat, different for each process; without it, there is none.",
    )
    flower_db: Path = Field(Path(".data/flower"), description="Where Flower stores its state.")
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(address_values.web_address)] | None = Field(
        None, description="OpenTelemetry collector (OTLP over HTTP) that receives spans, such as http://127.0.0.1:4318."
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="Sentry project (DSN) that receives unexpected errors, with their type and place only."
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO",
        description="DEBUG, INFO, WARNING or ERROR. DEBUG applies to our own modules; libraries log from INFO on.",
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
