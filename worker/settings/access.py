"""Settings of who may reach the API, from where, and with which keys."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from worker import address_values, setting_values
from worker.settings.group import COMMAS, Host, SettingsGroup, Zone

# Published deliberately: with it `astegni token` works anywhere on a developer's machine. `require_safe` rejects it
# wherever an untrusted user could get access.
DEVELOPMENT_KEY = "astegni-development-key-that-protects-nothing"
_Origin = Annotated[str, AfterValidator(address_values.origin)]


class AccessSettings(SettingsGroup):
    """The API and its callers."""

    # --- access
    secret_key: SecretStr | None = Field(None, description="Key of the platform's HS256 tokens.")
    operator_departments: Annotated[frozenset[str], NoDecode, COMMAS] = Field(
        frozenset({"manage-system-settings"}),
        description="Admin departments (comma separated) whose members are operators.",
    )
    api_host: Host = Field("127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(8090, ge=0, le=65535, description="Port the API listens on.")
    public_base_url: Annotated[str, AfterValidator(address_values.base_address)] | None = Field(
        None, description="Public address (https) of the API; without it, the address it listens on."
    )
    api_connections: int = Field(2000, ge=1, description="Maximum number of open connections of one API process.")
    api_connections_per_address: int = Field(
        200,
        ge=0,
        description="Maximum number of open connections from one address that is not a trusted proxy; 0: no limit.",
    )
    api_header_seconds: float = Field(
        10.0, gt=0, description="A connection is closed when the header of a request takes longer."
    )
    api_pause_seconds: float = Field(
        60.0,
        gt=0,
        description=(
            "A client that sends nothing of its body, or reads nothing of a response, for this long is disconnected."
        ),
    )
    api_least_rate: int = Field(
        500, ge=0, description="Minimum rate of a request body in bytes a second, averaged over API_PAUSE_SECONDS."
    )
    api_idle_seconds: int = Field(20, ge=1, description="A connection without a request is closed after this long.")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, COMMAS] = Field(
        (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128")),
        description="Networks (comma separated) of proxies whose `X-Forwarded-For` is used for the client's address.",
    )
    cors_origins: Annotated[tuple[_Origin, ...], NoDecode, COMMAS] = Field(
        (), description="Origins (comma separated) whose pages may call the API."
    )
    timezone: Zone = Field("Africa/Addis_Ababa", description="Time zone of people and lessons that have none.")

    @field_validator("secret_key")
    @classmethod
    def _is_hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            setting_values.signing_key(value.get_secret_value())
        return value

    @field_validator("operator_departments")
    @classmethod
    def _names_somebody(cls, value: frozenset[str]) -> frozenset[str]:
        if not value:
            raise ValueError("must name at least one department, else nobody is an operator")
        return value

    @property
    def signing_key(self) -> str:
        """The key that signs and verifies tokens; without SECRET_KEY it is the published development key."""
        return self.secret_key.get_secret_value() if self.secret_key else DEVELOPMENT_KEY
