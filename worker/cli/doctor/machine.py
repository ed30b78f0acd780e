"""Checks of this machine: versions, ffmpeg, the drawing engine with its fonts, the spool's disk."""

import os
import platform
import shutil
import subprocess

from worker.errors import Misconfigured, OutOfSpace
from worker.settings import Settings


def check_versions(settings: Settings) -> str:  # noqa: ARG001 - nothing to set
    """Report the versions of the release, Python and Celery."""
    from importlib.metadata import version  # noqa: PLC0415 - for this check

    return f"astegni-worker {version('astegni-worker')}, Python {platform.python_version()}, Celery {version('celery')}"


def check_media(settings: Settings) -> str:
    """Check that ffmpeg and ffprobe have every codec, format and filter that is used."""
    from worker.media.processes.binaries import find_binaries, missing_features  # noqa: PLC0415 - for this check

    remedy = "Unset FFMPEG_PATH and FFPROBE_PATH, or name other programs."
    binaries = find_binaries(settings)
    try:
        missing = missing_features(binaries)
    except (OSError, subprocess.SubprocessError) as error:
        raise Misconfigured(f"ffmpeg or ffprobe cannot be run ({type(error).__name__}). {remedy}") from error
    if missing:
        raise Misconfigured(f"{'; '.join(missing)}. {remedy}")
    return f"{binaries.ffmpeg}, {binaries.ffprobe}"


def check_canvas(settings: Settings) -> str:  # noqa: ARG001 - nothing to set
    """Check that the drawing engine loads, and that the packages of its fonts are whole."""
    from worker.canvases.engine import load_engine  # noqa: PLC0415 - for this check

    engine = load_engine()
    # They import the engine.
    from worker.canvases.lettering.fonts import FAMILIES, missing_fonts  # noqa: PLC0415

    missing = missing_fonts()
    if missing:
        raise Misconfigured(f"These fonts are missing: {', '.join(missing)}. Install the project's requirements again.")
    return f"skia {engine.__version__}, {len(FAMILIES)} families of fonts"


def check_spool(settings: Settings) -> str:
    """Check that uploads can be written and that their disk has room. Nothing is written.

    The first upload creates the folder, possibly as another user.
    """
    folder = settings.spool_dir.absolute()
    try:
        nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    except OSError as error:
        # A folder above it that this account may not enter, or a name that is too long.
        raise Misconfigured(
            f"{folder} cannot be reached: {error.strerror}. Set SPOOL_DIR to a folder that can."
        ) from error
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise Misconfigured(f"{nearest} cannot be written. Set SPOOL_DIR to a folder that can.")
    free = shutil.disk_usage(nearest).free
    if free < settings.spool_reserve_bytes:
        raise OutOfSpace(f"{folder} has {free / 1e9:.1f} GB free, less than SPOOL_RESERVE_BYTES. Free some space.")
    return f"{folder}, {free / 1e9:.0f} GB free"
