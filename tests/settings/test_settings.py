"""Weak or meaningless settings are refused when they are read, with a helpful sentence and without secrets."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st
from pydantic import ValidationError

from worker.address_values import origin
from worker.cli.setting_faults import setting_faults
from worker.settings import DEVELOPMENT_KEY, Settings

GOOD_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings as a process reads them from its environment."""

    def from_environment(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return from_environment


WRONG = {
    "SECRET_KEY": [
        "short",
        "x" * 31,
        "x" * 64,
        "abababababababababababababababababab",
        f" {GOOD_KEY}",
        f"{GOOD_KEY}\n",
        " ",
    ],
    "FLOWER_BASIC_AUTH": [":", "user:", ":password", "user", "a:b,", "a:b,:", " : ", "a:b\nc:d"],
    "TIMEZONE": ["Mars/Phobos", "UTC+3", "Factory", "africa/addis_ababa", "../etc/passwd", "EAT"],
    "CORS_ORIGINS": [
        *("https://a.example/", "https://a.example/path", "*", "https://*.a.example", "null", "a.example"),
        *(
            "https://A.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://u@a.example",
            "ftp://a.example",
        ),
        *("https://ok.example,https://a.example/", "https://a.example?x", "https://a.example:x", "https://"),
    ],
    "PUBLIC_BASE_URL": [
        *("http://api.example", "api.example", "https://", "https://u:p@a.example", "https://a.example?x=1"),
        *("https://a.example#x", "ftp://a.example", "https://a.example:99999", "https://a b.example", "//a.example"),
    ],
    "UPLOAD_BASE_URL": [
        *("http://a.example", "a.example", "https://", "https://u:p@a.example", "https://a.example?x=1", "/v1"),
        *("https://a.example#x", "https://a;b.example", "https://a,b.example", "https://ትምህርት.example", "https://*"),
    ],
    "WHITEBOARD_URL": [
        *("https://a.example/board", "https://a.example/{id}", "{schedule_id}", "https://a.example/{schedule_id}/{x}"),
        *("https://a.example/{schedule_id", "javascript:alert({schedule_id})", "https://a.example/{}"),
    ],
    "RECORDING_URL": ["https://a.example/{schedule_id}", "https://a.example/", "https://a.example/{recording_id.x}"],
    "UNSUBSCRIBE_URL": ["http://a.example/settings", "settings", "mailto:a@b.example"],
    "DATABASE_URL": ["mysql://a/b", "localhost", "sqlite:///x", "postgresql:/x", "postgresql://u:p@db..example/n"],
    "PLATFORM_DATABASE_URL": ["mysql://a/b", "postgresql+psycopg://a/b", "postgresql://a:b c@d/e?x=y", "postgresql://"],
    "BACKBLAZE_REALM": ["prod", "b2.example", "ftp://a", f"https://{'x' * 64}.example"],
    "BACKBLAZE_BUCKET_NAME": ["b2-files", "short", "no_underscores", "x" * 64],
    "API_HOST": ["http://0.0.0.0", "0.0.0.0:8000", "a b", "-"],
    "FLOWER_HOST": ["127.0.0.1:5555"],
    "SMTP_HOST": ["smtp://mail.example", "mail.example:587"],
    "API_PORT": ["-1", "65536", "http"],
    "SMTP_PORT": ["0", "65536"],
    "FROM_EMAIL": ["nobody", "Astegni <a@b.example>", "a@b", "a@b.example\r\nBcc: c@d.example"],
    "FROM_NAME": ["Astegni\nBcc: x"],
    "OPERATOR_DEPARTMENTS": [","],
    "WEBHOOK_ALLOWED_NETWORKS": ["0.0.0.0/0", "::/0", "10.0.0.1/8", "everywhere"],
    "LOG_LEVEL": ["LOUD", "5"],
    "SPOOL_ID": ["Ü", "a b", "x" * 33],
    "RELAY_INTERVAL": ["0", "-1", "nan", "inf", "1e300", "1e-9", "soon"],
    "RUN_LEASE": ["0", "-30", "nan"],
    "SPOOL_RETENTION": ["0", "-1", "99999999999", "1.5"],
    "UPLOAD_MAX_BYTES": ["0", "-1", "10000000000001"],
    "SPOOL_RESERVE_BYTES": ["-1"],
    "RECORDING_MAX_SECONDS": ["0", "86401"],
    "WORKER_CONCURRENCY": ["0", "65"],
    "SCHEDULE_HORIZON_DAYS": ["0", "367"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_what_means_nothing_is_refused_by_name_and_never_repeated(
    read: Callable[..., Settings], name: str, value: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**{name: value})
    for sentence in setting_faults(caught.value):
        assert sentence.startswith(f"the setting {name} is not valid: ")
        assert str(Settings.model_fields[name.lower()].description) in sentence
        if len(value) > 13 and name in {"SECRET_KEY", "FLOWER_BASIC_AUTH", "DATABASE_URL", "PLATFORM_DATABASE_URL"}:
            assert value not in sentence


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"RUN_LEASE": "10", "LEASE_RENEWAL": "10"}, "LEASE_RENEWAL"),
        ({"RUN_LEASE": "19", "LEASE_RENEWAL": "10"}, "RUN_LEASE"),
        ({"RUN_LEASE": "2", "LEASE_RENEWAL": "1", "PULSE_INTERVAL": "2"}, "PULSE_INTERVAL"),
        ({"PUBLISHED_LEASE": "700"}, "PUBLISHED_LEASE_MAX"),
        ({"BACKBLAZE_KEY_ID": "0001"}, "BACKBLAZE_APPLICATION_KEY"),
        ({"SMTP_USER": "a"}, "SMTP_PASSWORD"),
        ({"SMTP_PASSWORD": "hush"}, "SMTP_USER"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    read: Callable[..., Settings], variables: dict[str, str], named: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        read(**variables)
    (sentence,) = setting_faults(caught.value)
    assert sentence.startswith("the settings do not fit together: ")
    assert named in sentence


@pytest.mark.parametrize(
    ("name", "value", "read_as"),
    [
        ("TIMEZONE", " Africa/Addis_Ababa ", "Africa/Addis_Ababa"),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("PUBLIC_BASE_URL", "https://api.example/worker/", "https://api.example/worker"),
        ("PUBLIC_BASE_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("PUBLIC_BASE_URL", "   ", None),
        ("UPLOAD_BASE_URL", "https://uploads-1.example:8443/worker/", "https://uploads-1.example:8443/worker"),
        ("UPLOAD_BASE_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("API_HOST", "::1", "::1"),
        ("SMTP_HOST", "mail.example", "mail.example"),
        ("CORS_ORIGINS", "https://a.example, http://[::1]:3000", ("https://a.example", "http://[::1]:3000")),
        ("WHITEBOARD_URL", "https://a.example/?lesson={schedule_id}", "https://a.example/?lesson={schedule_id}"),
        ("BACKBLAZE_REALM", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("FROM_NAME", "አስተኝ", "አስተኝ"),
        *(
            ("DATABASE_URL", address, address)
            for address in (
                "postgresql://u:a..b/c@db_1:5432/n",
                "postgresql:///n?host=/run/postgresql",
                "postgresql://u:p@%2Frun%2Fpostgresql/n",
                "postgresql://u:p@[::1]:5432/n",
                "postgresql+psycopg://u@a.example,b.example/n",
            )
        ),
    ],
)
def test_what_is_meant_is_taken(read: Callable[..., Settings], name: str, value: str, read_as: object) -> None:
    assert getattr(read(**{name: value}), name.lower()) == read_as


def test_the_published_key_and_flower_with_several_people_are_taken(read: Callable[..., Settings]) -> None:
    settings = read(SECRET_KEY=DEVELOPMENT_KEY, FLOWER_BASIC_AUTH="a:open sesame,b:c:d")
    assert settings.signing_key == DEVELOPMENT_KEY


@rules(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z]{1,9}(\.[a-z]{2,9}){0,2}", fullmatch=True),
    st.integers(1, 65535),
)
def test_an_origin_is_taken_in_one_spelling_only(scheme: str, host: str, port: int) -> None:
    spelled = f"{scheme}://{host}:{port}"
    if port in (80, 443) and port == {"http": 80, "https": 443}[scheme]:
        spelled = f"{scheme}://{host}"
    assert origin(spelled) == spelled
    for other in (
        f"{spelled}/",
        f"{spelled}/x",
        spelled.upper(),
        f"{scheme}://u@{host}:{port}",
        f"{spelled}?",
        f"{spelled}#",
    ):
        with pytest.raises(ValueError, match="origins"):
            origin(other)
