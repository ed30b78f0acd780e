"""Settings of what is made from a recording, and with which programs."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field
from pydantic_settings import NoDecode

from worker.settings.group import COMMAS, SettingsGroup

# In the order in which they are made: what a slow link plays first; `hls` and `download` last, as they consist of
# others.
RenditionName = Literal["audio", "audio-aac", "board", "360p", "720p", "hls", "download"]


class MediaSettings(SettingsGroup):
    """Renditions, the source, ffmpeg."""

    # --- media
    renditions: Annotated[tuple[Literal[RenditionName, "pictures", "none"], ...], NoDecode, COMMAS] = Field(
        (*get_args(RenditionName), "pictures"),
        description=(
            "Renditions (comma separated) made for every recording that has the tracks; `pictures`: posters "
            "by size, storyboard, preview; `none`: none."
        ),
    )
    keep_source_days: int = Field(
        0,
        ge=0,
        le=3660,
        description="Days after which the uploaded file of a playable lesson is deleted; 0: never.",
    )
    ffmpeg_path: Path | None = Field(None, description="An ffmpeg to use instead of the packaged one.")
    ffprobe_path: Path | None = Field(None, description="An ffprobe to use instead of the packaged one.")
