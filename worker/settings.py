"""All settings, by the names that the platform uses.

An entry point reads them once; no module reads them at import.
"""

from functools import partial
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

from worker import address_values
from worker import setting_values as values
from worker.broker_address import BrokerAddress, read_broker_address
from worker.errors import Misconfigured
from worker.job_settings import YEAR, Interval, JobSettings, Retention
from worker.limit_settings import LimitSettings

# Published deliberately: with it `astegni token` works anywhere on a developer's machine. `require_safe` rejects it
# wherever an untrusted user could get access.
DEVELOPMENT_KEY = "astegni-development-key-that-protects-nothing"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_SECRETS = frozenset(
    {
        "platform_database_url",
        "secret_key",
        "secret_key_previous",
        "backblaze_application_key",
        "smtp_password",
        "flower_basic_auth",
    }
)
# The maximum size of a file in B2.
_LARGEST_FILE = 10_000_000_000_000

Text = Annotated[str, AfterValidator(values.plain_text)]
Host = Annotated[str, AfterValidator(address_values.listening_host)]
RenditionName = Literal["audio", "audio-aac", "board", "360p", "720p", "hls", "download", "pictures", "none"]


def _upper(level: object) -> object:
    return level.upper() if isinstance(level, str) else level


class Settings(JobSettings, LimitSettings):
    """The settings of every process. Durations are seconds and sizes bytes unless the name says otherwise."""

    # --- services and addresses
    database_url: Annotated[str, AfterValidator(address_values.database_address)] | None = Field(
        None, description="PostgreSQL 15 to 18; `postgresql://` is enough."
    )
    platform_database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL of the platform, by a role that may only read some columns; none: people are our own.",
    )
    platform_timezone: Annotated[str, AfterValidator(values.zone_name)] | None = Field(
        None, description="Zone of the times that the platform's SQL writes; none: the one that its rows prove."
    )
    redis_url: str | None = Field(None, description="The broker: Redis 7 or Valkey 8.")
    redis_ca_file: Path | None = Field(
        None, description="Certificates (PEM) of the authority that signs a `rediss://` broker's, if not a known one."
    )
    backblaze_key_id: Text | None = Field(None, description="Application key id of Backblaze B2.")
    backblaze_application_key: SecretStr | None = Field(None, description="Application key of Backblaze B2.")
    backblaze_bucket_name: Annotated[str, AfterValidator(values.bucket_name)] = Field(
        "astegni-media", description="The private bucket that keeps every object."
    )
    backblaze_realm: Text = Field("production", description="`production`, or the URL of a B2 emulator.")

    # --- access
    secret_key: SecretStr | None = Field(None, description="Key of the platform's HS256 tokens.")
    operator_departments: Annotated[frozenset[str], NoDecode] = Field(
        frozenset({"manage-system-settings"}),
        description="Admin departments (comma separated) whose members are operators.",
    )
    api_host: Host = Field("127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(8090, ge=0, le=65535, description="Port the API listens on.")
    public_base_url: Annotated[str, AfterValidator(address_values.base_address)] | None = Field(
        None, description="Address (https) under which the outside reaches the API; none: the one it listens on."
    )
    api_connections: int = Field(2000, ge=1, description="Open connections that one API process takes.")
    api_connections_per_address: int = Field(
        200, ge=0, description="Open connections of one address, unless it is a trusted proxy; 0: as many as it likes."
    )
    api_header_seconds: float = Field(10.0, gt=0, description="A header that takes longer ends its connection.")
    api_pause_seconds: float = Field(
        60.0, gt=0, description="A client that sends nothing of its body, or reads nothing, this long is cut off."
    )
    api_least_rate: int = Field(
        500, ge=0, description="Bytes a second that a body brings at least, on average over API_PAUSE_SECONDS."
    )
    api_idle_seconds: int = Field(20, ge=1, description="A connection without a request is closed after this long.")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128")),
        description="Networks (comma separated) of proxies whose `X-Forwarded-For` says who asks.",
    )
    cors_origins: Annotated[tuple[Annotated[str, AfterValidator(address_values.origin)], ...], NoDecode] = Field(
        (), description="Origins (comma separated) whose pages may call the API."
    )
    timezone: Annotated[str, AfterValidator(values.zone_name)] = Field(
        "Africa/Addis_Ababa", description="Zone of people and lessons that name none."
    )

    # --- uploads and the spool
    spool_dir: Path = Field(Path(".data/spool"), description="Where uploaded bytes wait for their ingest.")
    spool_id: str = Field(
        "shared", pattern=r"^[a-z0-9-]{1,32}$", description="Name of this spool: one machine, or one volume."
    )
    spool_reserve_bytes: int = Field(
        1_000_000_000, ge=0, le=_LARGEST_FILE, description="Free disk that uploads never use up."
    )
    spool_retention: Retention = Field(7 * 86_400, description="How long bytes of an unfinished ingest are kept.")
    upload_max_bytes: int = Field(8_000_000_000, ge=1, le=_LARGEST_FILE, description="Largest recording taken.")
    upload_abandoned_after: int = Field(
        600, ge=1, le=YEAR, description="An upload in pieces without a byte this long is ingested as it is."
    )
    share_days: int = Field(
        30, ge=1, le=366, description="How long the address of a shared recording opens, if nobody says."
    )
    recording_max_seconds: int = Field(6 * 3600, ge=1, le=86_400, description="Longest recording taken.")

    # --- lessons
    schedule_horizon_days: int = Field(90, ge=1, le=366, description="How many days ahead series are kept filled.")
    whiteboard_left_seconds: int = Field(
        7200,
        ge=60,
        le=YEAR,
        description="A whiteboard session in which nothing happens this long after its lesson is closed.",
    )

    # --- boards
    snapshot_interval: int = Field(
        120, ge=10, le=86_400, description="How often pages that changed in running sessions are drawn anew."
    )

    # --- reminders
    dispatch_interval: Interval = Field(1.0, description="How often due messages are looked for.")
    delivery_lease: Interval = Field(60.0, description="A message in hand without news this long is sent again.")
    delivery_retention: Retention = Field(90 * 86_400, description="How long messages that are over are kept.")
    whiteboard_url: (
        Annotated[str, AfterValidator(partial(address_values.address_template, placeholder="schedule_id"))] | None
    ) = Field(None, description="Address of a lesson's whiteboard with `{schedule_id}` in it; messages lead there.")
    recording_url: (
        Annotated[str, AfterValidator(partial(address_values.address_template, placeholder="recording_id"))] | None
    ) = Field(None, description="Address of a recording's page with `{recording_id}` in it; messages lead there.")
    board_codes: bool = Field(
        True,
        description="Whether pages of a board's document carry a QR code of RECORDING_URL at the moment of the page.",
    )

    # --- mail
    smtp_host: Host | None = Field(None, description="Mail server that takes what is sent.")
    smtp_port: int = Field(587, ge=1, le=65535, description="465: TLS from the start; others: STARTTLS where offered.")
    smtp_user: Text | None = Field(None, description="User name at the mail server; none: no login.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    from_email: Annotated[str, AfterValidator(values.mail_address)] = Field(
        "no-reply@astegni.example", description="Address that mail comes from."
    )
    from_name: Text = Field("Astegni", description="Name that mail comes from.")

    # --- channels
    unsubscribe_url: Annotated[str, AfterValidator(address_values.header_address)] | None = Field(
        None, description="Page (https) where people choose what they are told; stands in `List-Unsubscribe` of mail."
    )
    webhook_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="Networks (comma separated) that webhooks may reach besides public addresses."
    )
    secret_key_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Keys (comma separated) that SECRET_KEY has replaced: addresses kept under them stay readable."
    )

    # --- media
    renditions: Annotated[tuple[RenditionName, ...], NoDecode] = Field(
        ("audio", "audio-aac", "board", "360p", "720p", "hls", "download", "pictures"),
        description="Renditions (comma separated) that each recording gets where its tracks allow it; `pictures`:"
        " posters by size, storyboard, preview; `none`: none.",
    )
    keep_source_days: int = Field(
        0,
        ge=0,
        le=3660,
        description="Days after which the uploaded bytes of a lesson that plays are deleted; 0: never.",
    )
    ffmpeg_path: Path | None = Field(None, description="Another ffmpeg than the one of the wheel.")
    ffprobe_path: Path | None = Field(None, description="Another ffprobe than the one of the wheel.")

    # --- operators
    flower_host: Host = Field("127.0.0.1", description="Address Flower listens on.")
    flower_port: int = Field(5555, ge=0, le=65535, description="Port Flower listens on.")
    flower_url: Annotated[str, AfterValidator(address_values.web_address)] | None = Field(
        None, description="Where operators reach Flower; `GET /` has a link to it for them."
    )
    flower_basic_auth: SecretStr | None = Field(None, description="`user:password` for Flower.")
    flower_db: Path = Field(Path(".data/flower"), description="Where Flower keeps what it has seen.")
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = Field(
        "INFO", description="DEBUG (of our own modules, libraries from INFO on), INFO, WARNING or ERROR."
    )

    @field_validator(
        "operator_departments",
        "cors_origins",
        "trusted_proxies",
        "webhook_allowed_networks",
        "secret_key_previous",
        "renditions",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, info: object) -> object:
        """Treat an empty value (`REDIS_URL=` in an environment file) as not set, as people expect."""
        name = getattr(info, "field_name", "")
        # Whitespace around a value is a typing error, except perhaps in a secret.
        if isinstance(value, str) and name not in _SECRETS:
            value = value.strip()
        return cls.model_fields[name].get_default(call_default_factory=True) if value == "" else value

    @field_validator("secret_key", "flower_basic_auth")
    @classmethod
    def _is_no_empty_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        check = values.signing_key if info.field_name == "secret_key" else values.basic_auth
        if value is not None:
            check(value.get_secret_value())
        return value

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

    @field_validator("operator_departments")
    @classmethod
    def _names_somebody(cls, value: frozenset[str]) -> frozenset[str]:
        if not value:
            raise ValueError("must name at least one department, else nobody is an operator")
        return value

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _is_not_everything(cls, value: tuple[IPv4Network | IPv6Network, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
        if any(network.prefixlen == 0 for network in value):
            raise ValueError("must be networks like 10.20.0.0/16; all addresses at once would open this network to all")
        return value

    @model_validator(mode="after")
    def _are_pairs(self) -> Self:
        for name, other in (("backblaze_key_id", "backblaze_application_key"), ("smtp_user", "smtp_password")):
            if (getattr(self, name) is None) is not (getattr(self, other) is None):
                raise ValueError(f"{name.upper()} and {other.upper()} go together: set both or none")
        return self

    @property
    def signing_key(self) -> str:
        """The key that signs and verifies tokens; without SECRET_KEY it is the published development key."""
        return self.secret_key.get_secret_value() if self.secret_key else DEVELOPMENT_KEY

    @property
    def previous_keys(self) -> list[str]:
        """Keys that SECRET_KEY has replaced."""
        return [key.get_secret_value() for key in self.secret_key_previous]

    @property
    def sqlalchemy_url(self) -> str:
        """DATABASE_URL with psycopg 3 as its driver. Raises Misconfigured when it is not set."""
        if self.database_url is None:
            raise Misconfigured("DATABASE_URL is not set. Set it, or run `astegni up` for an embedded server.")
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def broker(self) -> BrokerAddress:
        """The parsed REDIS_URL. Raises Misconfigured, which says what to do."""
        if self.redis_url is None:
            raise Misconfigured("REDIS_URL is not set. Set it, or run `astegni up` for an embedded server.")
        return read_broker_address(self.redis_url, ca_file=self.redis_ca_file)

    @property
    def broker_url(self) -> str:
        """The broker's address in the form that Celery reads."""
        return self.broker.url
