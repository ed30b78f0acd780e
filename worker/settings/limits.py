"""Settings of how much one person, or one address, may do."""

from pydantic import Field

from worker.settings.group import SettingsGroup


class LimitSettings(SettingsGroup):
    """The limits. A rate is counted over all API processes."""

    # --- limits of one person (0: no limit)
    limit_requests_per_minute: int = Field(
        600, ge=0, description="Requests of a person in a minute; a body counts once more for each 32 KB."
    )
    limit_address_requests_per_minute: int = Field(
        600, ge=0, description="Requests of an address in a minute that need no token (calendars)."
    )
    limit_wrong_tokens_per_minute: int = Field(60, ge=0, description="Wrong tokens of an address in a minute.")
    limit_unknown_feeds_per_minute: int = Field(
        30, ge=0, description="Calendar addresses that do not exist, asked for by an address in a minute."
    )
    limit_unknown_shares_per_minute: int = Field(
        30, ge=0, description="Addresses of shared recordings that do not open, asked for by an address in a minute."
    )
    limit_shares_of_recording: int = Field(
        50, ge=0, description="Addresses of a recording that need no token and still open."
    )
    limit_upload_bytes_per_day: int = Field(64_000_000_000, ge=0, description="Bytes that a person uploads in a day.")
    limit_open_uploads: int = Field(
        8, ge=0, description="Uploads of a person that are received at once; one more waits 20 s."
    )
    limit_open_upload_bytes: int = Field(
        16_000_000_000,
        ge=0,
        description="Bytes that these uploads may bring; one of unknown length counts as the largest.",
    )
    limit_live_ingests: int = Field(50, ge=0, description="Recordings of a person that wait for their ingest.")
    limit_live_replays: int = Field(
        2, ge=0, description="Films of boards that a person has ordered and that are not done."
    )
    limit_live_combined: int = Field(
        2, ge=0, description="Combined lessons that a person has ordered and that are not done."
    )
    limit_live_renditions: int = Field(
        50,
        ge=0,
        description="Recordings of a person that wait for renditions, or for pictures, when another one is ordered.",
    )
    limit_live_snapshots: int = Field(
        20,
        ge=0,
        description="Pictures of pages, and documents of boards, that a person has ordered and that are not done.",
    )
    limit_event_streams: int = Field(20, ge=1, description="Streams of a kind that a person has open.")
    limit_board_page_bytes: int = Field(8_000_000, ge=0, description="Bytes of strokes that a page of a board takes.")
    limit_board_session_bytes: int = Field(
        32_000_000, ge=0, description="Bytes of strokes that all pages of a whiteboard session take."
    )
    limit_whiteboard_sessions_per_day: int = Field(
        100, ge=0, description="Whiteboard sessions that a person opens in a day."
    )
    limit_bookings_per_day: int = Field(100, ge=0, description="Bookings and requests that a person makes in a day.")
    limit_messages_per_day: int = Field(1000, ge=0, description="Messages to others that a person causes in a day.")
