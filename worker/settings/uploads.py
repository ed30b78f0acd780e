"""Settings of uploads, the spool that holds them, and what is accepted."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from worker import address_values
from worker.settings.group import LARGEST_FILE, YEAR, Retention, SettingsGroup


class UploadSettings(SettingsGroup):
    """Uploads and the spool."""

    # --- uploads and the spool
    spool_dir: Path = Field(Path(".data/spool"), description="Where uploaded bytes are kept until they are ingested.")
    spool_id: str = Field(
        "shared",
        pattern=r"^[a-z0-9-]{1,32}$",
        description=(
            "Name of this spool: the same for all processes that share the directory, different on each "
            "machine or volume."
        ),
    )
    upload_base_url: Annotated[str, AfterValidator(address_values.response_address)] | None = Field(
        None,
        description=(
            "Address (https) of an API with this spool, at which uploads in pieces continue; without it, "
            "their `Location` is a path."
        ),
    )
    spool_reserve_bytes: int = Field(
        1_000_000_000, ge=0, le=LARGEST_FILE, description="Free disk space that uploads never use."
    )
    spool_retention: Retention = Field(
        7 * 86_400, description="How long the bytes of an ingest that did not finish are kept."
    )
    upload_max_bytes: int = Field(8_000_000_000, ge=1, le=LARGEST_FILE, description="Maximum size of a recording.")
    upload_abandoned_after: int = Field(
        600, ge=1, le=YEAR, description="An upload in pieces that receives nothing for this long is ingested as it is."
    )
    share_days: int = Field(
        30, ge=1, le=366, description="How long a shared recording's address works, unless the request says otherwise."
    )
    recording_max_seconds: int = Field(6 * 3600, ge=1, le=86_400, description="Maximum duration of a recording.")
