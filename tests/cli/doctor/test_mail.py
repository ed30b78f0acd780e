"""What doctor reports about the mail server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from devstack.mailbox.embedded import EmbeddedMailbox
from devstack.ports import free_port
from worker.cli.doctor.mail import check_mail
from worker.errors import Misconfigured, Unavailable
from worker.settings import Settings


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Settings]:
    with EmbeddedMailbox(tmp_path / "mail", log=tmp_path / "log") as server:
        yield Settings(smtp_host=server.addresses.smtp_host, smtp_port=server.addresses.smtp_port)


def test_one_that_answers(mailbox: Settings) -> None:
    assert check_mail(mailbox) == f"{mailbox.smtp_host}:{mailbox.smtp_port} answers"
    assert check_mail(Settings()).startswith("SMTP_HOST is not set")


def test_one_that_does_not() -> None:
    with pytest.raises(Unavailable, match=r"does not answer.*SMTP_PORT right"):
        check_mail(Settings(smtp_host="127.0.0.1", smtp_port=free_port()))


def test_a_password_that_would_go_in_the_clear(mailbox: Settings) -> None:
    login = mailbox.model_copy(update={"smtp_user": "almaz", "smtp_password": SecretStr("hush")})
    with pytest.raises(Misconfigured, match="no STARTTLS") as refused:
        check_mail(login)
    assert "hush" not in refused.value.detail
