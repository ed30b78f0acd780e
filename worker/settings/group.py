"""What all groups of settings share, and the types that several of them use."""

from typing import Annotated, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker import address_values, setting_values

YEAR = 366 * 86_400
# The maximum size of a file in B2.
LARGEST_FILE = 10_000_000_000_000


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(setting_values.plain_text)]
Host = Annotated[str, AfterValidator(address_values.listening_host)]
Zone = Annotated[str, AfterValidator(setting_values.zone_name)]
# A shorter interval would amount to busy polling; one longer than a day would hardly ever fire.
Interval = Annotated[float, Field(ge=0.01, le=86_400, allow_inf_nan=False)]
Retention = Annotated[int, Field(ge=60, le=10 * YEAR)]
COMMAS = BeforeValidator(_split)


class SettingsGroup(BaseSettings):
    """The settings of one topic. Durations are seconds and sizes bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: ValidationInfo) -> object:
        """Treat an empty value (`REDIS_URL=` in an environment file) as not set, as people expect."""
        field = cls.model_fields[info.field_name or ""]
        # Whitespace around a value is a typing error, except perhaps in a secret.
        if isinstance(value, str) and SecretStr not in get_args(field.annotation):
            value = value.strip()
        return field.get_default(call_default_factory=True) if value == "" else value

    def _require_both(self, name: str, other: str) -> None:
        """Raise ValueError when one of two settings is set without the other."""
        if (getattr(self, name) is None) is not (getattr(self, other) is None):
            raise ValueError(f"{name.upper()} and {other.upper()} go together: set both or none")
