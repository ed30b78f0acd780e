"""Settings of the servers that every process needs: PostgreSQL, the broker, B2."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from worker import address_values, setting_values
from worker.broker_address import BrokerAddress, read_broker_address
from worker.errors import InvalidSetting
from worker.settings.group import SettingsGroup, Text, Zone


class ServiceSettings(SettingsGroup):
    """Where the servers are, and how they are reached."""

    # --- services and addresses
    database_url: Annotated[str, AfterValidator(address_values.database_address)] | None = Field(
        None, description="PostgreSQL 15 to 18; `postgresql://` is enough."
    )
    platform_database_url: SecretStr | None = Field(
        None,
        description=(
            "The platform's PostgreSQL, by a role that may only read some columns; without it, people exist only here."
        ),
    )
    platform_timezone: Zone | None = Field(
        None, description="Time zone in which the platform's SQL writes local times; without it, derived from its rows."
    )
    redis_url: str | None = Field(
        None, description="The broker: Redis 7 or Valkey 8, alone or behind Sentinel; or RabbitMQ."
    )
    redis_ca_file: Path | None = Field(
        None,
        description="CA certificates (PEM) that verify a broker with TLS; without it, the system's.",
    )
    redis_master_name: Text | None = Field(
        None, description="With Sentinel: the name of the master, as `sentinel monitor` has it."
    )
    redis_sentinel_password: SecretStr | None = Field(
        None, description="Password of the Sentinels themselves (their `requirepass`), if they have one."
    )
    backblaze_key_id: Text | None = Field(None, description="Application key id of Backblaze B2.")
    backblaze_application_key: SecretStr | None = Field(None, description="Application key of Backblaze B2.")
    backblaze_bucket_name: Annotated[str, AfterValidator(setting_values.bucket_name)] = Field(
        "astegni-media", description="The private bucket that keeps every object."
    )
    backblaze_realm: Text = Field("production", description="`production`, or the URL of a B2 emulator.")

    @field_validator("platform_database_url")
    @classmethod
    def _is_a_platform(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            address_values.platform_address(value.get_secret_value())
        return value

    @field_validator("backblaze_realm")
    @classmethod
    def _is_a_realm(cls, value: str) -> str:
        return value if value in {"production", "staging", "dev"} else address_values.web_address(value)

    @model_validator(mode="after")
    def _has_both_of_the_key(self) -> Self:
        self._require_both("backblaze_key_id", "backblaze_application_key")
        return self

    @property
    def sqlalchemy_url(self) -> str:
        """DATABASE_URL with psycopg 3 as its driver. Raises InvalidSetting when it is not set."""
        if self.database_url is None:
            raise InvalidSetting("DATABASE_URL is not set. Set it, or run `astegni up` for an embedded server.")
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def broker(self) -> BrokerAddress:
        """The parsed REDIS_URL. Raises InvalidSetting, which says what to do."""
        if self.redis_url is None:
            raise InvalidSetting("REDIS_URL is not set. Set it, or run `astegni up` for an embedded server.")
        password = self.redis_sentinel_password
        return read_broker_address(
            self.redis_url,
            ca_file=self.redis_ca_file,
            master_name=self.redis_master_name,
            sentinel_password=None if password is None else password.get_secret_value(),
        )

    @property
    def broker_url(self) -> str:
        """The broker's address in the form that Celery reads."""
        return self.broker.url
