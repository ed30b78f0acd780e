"""The parameters of a call, from its JSON body or query, validated."""

import json
from collections.abc import Mapping
from typing import Any

from devstack.emulator.errors import B2Error, Json, bad_request


def parse_body(body: bytes) -> "Parameters":
    """The parameters in a JSON body; an empty body has none."""
    if not body.strip():
        return Parameters({})
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise bad_request("The request body must be a JSON object.")
    return Parameters(document)


class Parameters:
    """Named values whose types are checked when they are read; a wrong one raises a `bad_request` that names it."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        # b2sdk sends null for a parameter that it leaves out.
        self._values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """A required text."""
        value = self.optional_text(name)
        if value is None:
            raise bad_request(f"required field {name} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text, or None."""
        value = self._values.get(name)
        return None if value is None else checked_text(name, value)

    def integer(
        self, name: str, low: int, high: int, default: int | None = None, *, refusal: str = "bad_request"
    ) -> int:
        """An integer from `low` to `high`, also as digits in a query. Out of range it raises the code `refusal`."""
        value = self._values.get(name, default)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
            value = int(value)
        if value is None:
            raise bad_request(f"required field {name} is missing")
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_request(f"{name} must be an integer")
        if not low <= value <= high:
            raise B2Error(400, refusal, f"{name} must be between {low} and {high}, not {value}")
        return value

    def flag(self, name: str) -> bool:
        """True or false; absent means false."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise bad_request(f"{name} must be true or false")
        return value

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, or None."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise bad_request(f"{name} must be a list")
        return [checked_text(name, item) for item in value]

    def mapping(self, name: str) -> dict[str, str] | None:
        """An object whose values are texts, or None."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise bad_request(f"{name} must be an object")
        return {checked_text(name, key): checked_text(name, item) for key, item in value.items()}

    def objects(self, name: str) -> list[Json] | None:
        """A list of objects, or None."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise bad_request(f"{name} must be a list of objects")
        return value

    def object(self, name: str) -> Json | None:
        """An object, or None."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            raise bad_request(f"{name} must be an object")
        return value


def checked_text(name: str, value: object) -> str:
    """`value` as a text that UTF-8 can hold; JSON can also hold lone surrogates, which a file name cannot."""
    if not isinstance(value, str):
        raise bad_request(f"{name} must be a string")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise bad_request(f"{name} is not valid Unicode") from None
    return value
