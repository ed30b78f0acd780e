"""The settings of every process, with all topics."""

from worker.settings.access import AccessSettings
from worker.settings.jobs import JobSettings
from worker.settings.lessons import LessonSettings
from worker.settings.limits import LimitSettings
from worker.settings.media import MediaSettings
from worker.settings.messages import MessageSettings
from worker.settings.operators import OperatorSettings
from worker.settings.services import ServiceSettings
from worker.settings.uploads import UploadSettings


class Settings(
    ServiceSettings,
    AccessSettings,
    UploadSettings,
    LessonSettings,
    MessageSettings,
    MediaSettings,
    OperatorSettings,
    JobSettings,
    LimitSettings,
):
    """All settings; docs/settings.md lists them in the order of these classes."""
