"""Tokens that are accepted, and those that are refused, as tables."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from worker.access.callers import Operator, UserCaller
from worker.access.issue_token import issue_operator_token, issue_token
from worker.access.tokens import read_token
from worker.errors import Forbidden, Unauthorized

KEY = "a-key-of-the-platform-that-is-long-enough"
OPERATORS = frozenset({"manage-system-settings"})


def _signed(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256") -> str:
    return jwt.encode({"exp": int(time.time()) + 60} | claims, key, algorithm=algorithm)


def _unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, claims))
    return ".".join((*parts, signature))


GOOD = {"sub": "1", "role": "tutor", "role_ids": {"tutor": "11", "student": None, "parent": None}}


def test_a_person_comes_in_as_the_platform_signed_them() -> None:
    assert read_token(_signed(GOOD), KEY, OPERATORS) == UserCaller(1, "tutor", tutor_id=11)


def test_what_is_issued_is_read_back() -> None:
    token = issue_token(KEY, sub=7, role="parent", role_ids={"parent": 33, "student": 22})
    assert read_token(token, KEY, OPERATORS) == UserCaller(7, "parent", student_id=22, parent_id=33)
    assert read_token(token, KEY, OPERATORS).principal == "user:7"


def test_issued_tokens_have_exactly_the_platform_s_claims() -> None:
    claims = jwt.decode(issue_token(KEY, sub=7, role="tutor", role_ids={"tutor": 3}), KEY, algorithms=["HS256"])
    assert claims.pop("exp") > time.time()
    assert claims == {"sub": "7", "role": "tutor", "role_ids": {"tutor": "3", "student": None, "parent": None}}


def test_an_operator_comes_in_by_department() -> None:
    token = issue_operator_token(KEY, admin_id=3, departments=["manage-courses", "manage-system-settings"])
    caller = read_token(token, KEY, OPERATORS)
    assert isinstance(caller, Operator)
    assert caller.principal == "operator:3"


def test_an_admin_of_other_departments_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        read_token(issue_operator_token(KEY, admin_id=3, departments=["manage-courses"]), KEY, OPERATORS)


def test_role_ids_may_be_missing_and_older_tokens_name_an_advertiser() -> None:
    assert read_token(_signed({"sub": "1"}), KEY, OPERATORS) == UserCaller(1)
    older = {"sub": "1", "role": "user", "role_ids": {"advertiser": "9"}}
    assert read_token(_signed(older), KEY, OPERATORS) == UserCaller(1, "user")


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"sub": ""}, id="sub empty"),
        pytest.param({"sub": 1}, id="sub a number"),
        pytest.param({"sub": None}, id="sub null"),
        pytest.param({"sub": "0"}, id="sub zero"),
        pytest.param({"sub": "-1"}, id="sub negative"),
        pytest.param({"sub": "1 OR 1=1"}, id="sub with more"),
        pytest.param({"sub": "1\n"}, id="sub with a line end"),
        pytest.param({"sub": "\u0661"}, id="sub in another script's digits"),
        pytest.param({"sub": "2147483648"}, id="sub past the column"),
        pytest.param({"sub": "9" * 5000}, id="sub huge"),
        pytest.param({"sub": "1", "role": 5}, id="role a number"),
        pytest.param({"sub": "1", "role_ids": "11"}, id="role_ids text"),
        pytest.param({"sub": "1", "role_ids": ["11"]}, id="role_ids a list"),
        pytest.param({"sub": "1", "role_ids": {"tutor": 11}}, id="profile a number"),
        pytest.param({"sub": "1", "role_ids": {"tutor": "x"}}, id="profile no number"),
        pytest.param({"sub": "1", "role_ids": {"tutor": ["11"]}}, id="profile a list"),
        pytest.param({"sub": "1", "role_ids": {"student": ""}}, id="profile empty"),
        pytest.param({"sub": "1", "role_ids": {"parent": "2147483648"}}, id="profile past the column"),
        pytest.param({"sub": "1", "type": "advertiser"}, id="advertiser with sub"),
        pytest.param({"type": "advertiser", "advertiser_id": 1}, id="advertiser"),
        pytest.param({"sub": "1", "type": "refresh"}, id="token for something else"),
        pytest.param({"type": "admin", "departments": ["manage-system-settings"]}, id="admin without id"),
        pytest.param({"type": "admin", "admin_id": True, "departments": []}, id="admin id a truth"),
        pytest.param({"type": "admin", "admin_id": "3", "departments": ["x"]}, id="admin id text"),
        pytest.param({"type": "admin", "admin_id": 3}, id="admin without departments"),
        pytest.param({"type": "admin", "admin_id": 3, "departments": "manage-system-settings"}, id="departments text"),
        pytest.param({"type": "admin", "admin_id": 3, "departments": [{}]}, id="departments of objects"),
        pytest.param({**GOOD, "exp": int(time.time()) - 60}, id="expired"),
        pytest.param({**GOOD, "exp": "soon"}, id="exp no number"),
        pytest.param({**GOOD, "exp": float("inf")}, id="exp infinite"),
        # The whole suite may run for long after this line.
        pytest.param({**GOOD, "nbf": int(time.time()) + 86_400}, id="not yet"),
        pytest.param({**GOOD, "aud": "somebody else"}, id="for somebody else"),
    ],
)
def test_signed_claims_that_are_not_taken(claims: dict[str, Any]) -> None:
    # Signed as bytes: jwt.encode itself refuses some of these.
    token = jwt.PyJWS().encode(json.dumps({"exp": int(time.time()) + 60} | claims).encode(), KEY, algorithm="HS256")
    with pytest.raises(Unauthorized):
        read_token(token, KEY, OPERATORS)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(_signed(GOOD, "another-key-of-the-platform-long-enough"), id="wrong key"),
        pytest.param(_signed(GOOD, KEY * 2, "HS384"), id="HS384"),
        pytest.param(_signed(GOOD, KEY * 2, "HS512"), id="HS512"),
        pytest.param(_unsigned({"alg": "none", "typ": "JWT"}, GOOD | {"exp": 9_999_999_999}), id="alg none"),
        pytest.param(_unsigned({"alg": "NONE"}, GOOD | {"exp": 9_999_999_999}), id="alg NONE"),
        pytest.param(_unsigned({"alg": "RS256"}, GOOD | {"exp": 9_999_999_999}, "AAAA"), id="RS256"),
        pytest.param(_unsigned({"alg": ["HS256"]}, GOOD, "AAAA"), id="alg a list"),
        pytest.param(_unsigned({"alg": "HS256", "kid": 5}, GOOD, "AAAA"), id="kid a number"),
        pytest.param(_unsigned({"alg": "HS256", "crit": ["b64"], "b64": False}, GOOD, "AAAA"), id="detached"),
        pytest.param(jwt.encode(GOOD, KEY, algorithm="HS256"), id="without exp"),
        pytest.param("", id="empty"),
        pytest.param("..", id="dots"),
        pytest.param("a.b.c", id="no base64"),
        pytest.param("ሰላም.ሰላም.ሰላም", id="no ASCII"),
        pytest.param("\x00" * 10, id="NULs"),
        pytest.param(_signed(GOOD)[:-2], id="signature cut"),
        pytest.param(_signed(GOOD | {"more": "x" * 10_000}), id="huge"),
        pytest.param(base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.AAAA", id="deep header"),
    ],
)
def test_tokens_that_cannot_be_trusted(raw: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        read_token(raw, KEY, OPERATORS)
    # One text for all: a forger learns nothing from it.
    assert caught.value.detail in {"The token cannot be trusted.", "The token is too long."}


def test_a_token_that_was_read_before_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue_token(KEY, sub=7, expires_in=60)
    assert read_token(token, KEY, OPERATORS).principal == "user:7"

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 66)
    with pytest.raises(Unauthorized, match="expired"):
        read_token(token, KEY, OPERATORS)


def test_an_expired_token_says_so() -> None:
    with pytest.raises(Unauthorized, match="expired"):
        read_token(_signed(GOOD | {"exp": int(time.time()) - 60}), KEY, OPERATORS)


def test_a_clock_that_is_seconds_off_is_forgiven() -> None:
    assert read_token(_signed(GOOD | {"exp": int(time.time()) - 1}), KEY, OPERATORS) == UserCaller(
        1, "tutor", tutor_id=11
    )
