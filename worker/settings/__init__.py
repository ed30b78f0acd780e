"""All settings, under the platform's names, with a module for each topic.

An entry point reads them once; no module reads them at import.
"""

from worker.settings.access import DEVELOPMENT_KEY
from worker.settings.settings import Settings

__all__ = ["DEVELOPMENT_KEY", "Settings"]
