"""Settings of how much one person, or one address, may do."""

from pydantic import Field

from worker.settings.group import SettingsGroup


class LimitSettings(SettingsGroup):
    """The limits. A rate is counted over all API processes."""

    # --- limits of one person (0: no limit)
    limit_requests_per_minute: int = Field(
        600, ge=0, description="Requests of one person in a minute; a body counts as one more for each 32 KB."
    )
    limit_address_requests_per_minute: int = Field(
        600, ge=0, description="Requests without a token (calendars) from one address in a minute."
    )
    limit_wrong_tokens_per_minute: int = Field(
        60, ge=0, description="Requests with an invalid token from one address in a minute."
    )
    limit_unknown_feeds_per_minute: int = Field(
        30, ge=0, description="Requests for calendars that do not exist, from one address in a minute."
    )
    limit_unknown_shares_per_minute: int = Field(
        30,
        ge=0,
        description="Requests for shared recordings that do not exist or have expired, from one address in a minute.",
    )
    limit_shares_of_recording: int = Field(50, ge=0, description="Valid shared addresses of one recording.")
    limit_upload_bytes_per_day: int = Field(64_000_000_000, ge=0, description="Bytes that one person uploads in a day.")
    limit_open_uploads: int = Field(
        8, ge=0, description="Concurrent uploads of one person; the next one waits up to 20 s."
    )
    limit_open_upload_bytes: int = Field(
        16_000_000_000,
        ge=0,
        description="Bytes that these uploads may bring together; one of unknown length counts as the largest.",
    )
    limit_live_ingests: int = Field(50, ge=0, description="Recordings of one person that wait for their ingest.")
    limit_live_replays: int = Field(
        2, ge=0, description="Board films that one person has ordered and that are not finished."
    )
    limit_live_combined: int = Field(
        2, ge=0, description="Combined lessons that one person has ordered and that are not finished."
    )
    limit_live_renditions: int = Field(
        50,
        ge=0,
        description="Recordings of one person with unfinished renditions or pictures, when another one is ordered.",
    )
    limit_live_snapshots: int = Field(
        20,
        ge=0,
        description="Page pictures and board documents that one person has ordered and that are not finished.",
    )
    limit_event_streams: int = Field(20, ge=1, description="Concurrent event streams of one person, of each kind.")
    limit_board_page_bytes: int = Field(8_000_000, ge=0, description="Bytes of strokes on one page of a board.")
    limit_board_session_bytes: int = Field(
        32_000_000, ge=0, description="Bytes of strokes on all pages of a whiteboard session."
    )
    limit_whiteboard_sessions_per_day: int = Field(
        100, ge=0, description="Whiteboard sessions that one person opens in a day."
    )
    limit_bookings_per_day: int = Field(100, ge=0, description="Bookings and requests that one person makes in a day.")
    limit_messages_per_day: int = Field(1000, ge=0, description="Messages to others that one person causes in a day.")
