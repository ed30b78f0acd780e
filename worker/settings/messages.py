"""Settings of messages: reminders, mail and the other channels."""

from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from worker import address_values, setting_values
from worker.settings.group import COMMAS, Host, Interval, Retention, SettingsGroup, Text


class MessageSettings(SettingsGroup):
    """When messages are sent, by which servers, and where their links lead."""

    # --- reminders
    dispatch_interval: Interval = Field(1.0, description="How often the dispatcher looks for due messages.")
    delivery_lease: Interval = Field(
        60.0, description="A claimed message whose lease is not renewed for this long is sent again."
    )
    delivery_retention: Retention = Field(
        90 * 86_400, description="How long sent, failed and cancelled messages are kept."
    )
    notification_retention: Retention = Field(
        2 * 365 * 86_400, ge=86_400, description="How long in-app messages are kept, read or unread."
    )
    whiteboard_url: (
        Annotated[str, AfterValidator(partial(address_values.address_template, placeholder="schedule_id"))] | None
    ) = Field(None, description="Address of a lesson's whiteboard, with `{schedule_id}`, for links in messages.")
    recording_url: (
        Annotated[str, AfterValidator(partial(address_values.address_template, placeholder="recording_id"))] | None
    ) = Field(None, description="Address of a recording's page, with `{recording_id}`, for links in messages.")
    board_codes: bool = Field(
        True,
        description="Whether the pages of a board's document carry a QR code of RECORDING_URL at the page's moment.",
    )

    # --- mail
    smtp_host: Host | None = Field(None, description="Mail server that accepts outgoing mail.")
    smtp_port: int = Field(587, ge=1, le=65535, description="465: TLS from the start; others: STARTTLS where offered.")
    smtp_user: Text | None = Field(None, description="User name at the mail server; without it, no login.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    from_email: Annotated[str, AfterValidator(setting_values.mail_address)] = Field(
        "no-reply@astegni.example", description="Sender address of mail."
    )
    from_name: Text = Field("Astegni", description="Sender name of mail.")

    # --- channels
    unsubscribe_url: Annotated[str, AfterValidator(address_values.header_address)] | None = Field(
        None, description="Page (https) where people choose their notifications, for `List-Unsubscribe` in mail."
    )
    webhook_allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, COMMAS] = Field(
        (), description="Networks (comma separated) that webhooks may reach in addition to public addresses."
    )
    secret_key_previous: Annotated[tuple[SecretStr, ...], NoDecode, COMMAS] = Field(
        (), description="Keys (comma separated) that SECRET_KEY replaced; addresses encrypted under them stay readable."
    )

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _is_not_everything(cls, value: tuple[IPv4Network | IPv6Network, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
        if any(network.prefixlen == 0 for network in value):
            raise ValueError("must be networks like 10.20.0.0/16; all addresses at once would open this network to all")
        return value

    @model_validator(mode="after")
    def _has_both_of_the_login(self) -> Self:
        self._require_both("smtp_user", "smtp_password")
        return self

    @property
    def previous_keys(self) -> list[str]:
        """Keys that SECRET_KEY has replaced."""
        return [key.get_secret_value() for key in self.secret_key_previous]
