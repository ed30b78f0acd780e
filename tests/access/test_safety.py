"""Where the published development key is refused."""

import pytest

from worker.access.safety import require_safe
from worker.errors import Misconfigured
from worker.settings import DEVELOPMENT_KEY, Settings

LOCAL = "postgresql://astegni@127.0.0.1:5432/astegni"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", None),
        ("127.0.0.1", LOCAL),
        ("localhost", "postgresql://localhost/astegni"),
        ("::1", "postgresql://[::1]/astegni"),
        ("127.0.0.1", "postgresql:///astegni?host=/run/postgresql"),
        ("127.0.0.1", "postgresql:///astegni"),
        ("127.0.0.1", "postgresql+psycopg://astegni@127.0.0.1/astegni"),
    ],
)
def test_on_this_machine_it_may_be_used_when_it_is_said(host: str, url: str | None) -> None:
    require_safe(Settings(database_url=url, secret_key=DEVELOPMENT_KEY), host)


def test_without_a_word_it_is_for_no_database_but_the_embedded_one() -> None:
    require_safe(Settings(), "127.0.0.1")
    with pytest.raises(Misconfigured, match="DATABASE_URL"):
        require_safe(Settings(database_url=LOCAL), "127.0.0.1")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", LOCAL),  # noqa: S104 - what must be refused
        ("::", LOCAL),
        ("", LOCAL),
        ("192.168.1.5", LOCAL),
        ("example.org", None),
        ("127.0.0.1.example.org", None),
        ("127.0.0.1", "postgresql://db.example.org/astegni"),
        ("127.0.0.1", "postgresql://127.0.0.1,db.example.org/astegni"),
        ("127.0.0.1", "postgresql:///astegni?host=db.example.org"),
        ("127.0.0.1", "postgresql://127.0.0.1/astegni?hostaddr=192.0.2.1"),
        ("127.0.0.1", "postgresql:///?service=production"),
    ],
)
def test_elsewhere_it_is_refused(host: str, url: str | None) -> None:
    with pytest.raises(Misconfigured, match="SECRET_KEY"):
        require_safe(Settings(database_url=url, secret_key=DEVELOPMENT_KEY), host)


def test_saying_the_published_key_aloud_does_not_make_it_a_secret() -> None:
    with pytest.raises(Misconfigured):
        require_safe(Settings(secret_key=DEVELOPMENT_KEY), "0.0.0.0")  # noqa: S104


def test_with_a_key_of_its_own_every_place_is_fine() -> None:
    settings = Settings(secret_key="its own, long enough to be one!!", database_url="postgresql://db.example.org/a")
    require_safe(settings, "0.0.0.0")  # noqa: S104


def test_the_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(Misconfigured) as caught:
        require_safe(Settings(database_url="postgresql://me:hush@db.example.org/a"), "127.0.0.1")
    assert "hush" not in caught.value.detail
