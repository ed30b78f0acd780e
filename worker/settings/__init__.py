"""All settings, by the names that the platform uses, a module for each topic.

An entry point reads them once; no module reads them at import.
"""

from worker.settings.access import DEVELOPMENT_KEY
from worker.settings.settings import Settings

__all__ = ["DEVELOPMENT_KEY", "Settings"]
