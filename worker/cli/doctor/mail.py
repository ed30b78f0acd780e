"""The mail server: connects, verifies TLS and logs in exactly as for sending, but sends nothing."""

from worker.errors import Misconfigured, Unavailable
from worker.settings import Settings

_SECONDS = 5.0


def check_mail(settings: Settings) -> str:
    """Check that the mail server responds and accepts the login."""
    from dataclasses import replace  # noqa: PLC0415 - for this check

    from worker.channels.email import Mailer  # noqa: PLC0415
    from worker.channels.errors import OurFault  # noqa: PLC0415
    from worker.channels.mail_server import MailServer  # noqa: PLC0415

    if settings.smtp_host is None:
        return "SMTP_HOST is not set: `astegni up` brings a mailbox"
    try:
        with Mailer(replace(MailServer.of(settings), timeout=_SECONDS)) as mailer:
            mailer.connect()
    except OurFault as fault:
        if fault.reason.startswith("The mail server does not answer"):
            raise Unavailable(f"{fault.reason} Are SMTP_HOST and SMTP_PORT right?") from fault
        raise Misconfigured(f"{fault.reason} Look at SMTP_HOST, SMTP_PORT, SMTP_USER and SMTP_PASSWORD.") from fault
    login = "" if settings.smtp_user is None else " and takes the login"
    return f"{settings.smtp_host}:{settings.smtp_port} answers{login}"
