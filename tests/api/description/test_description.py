"""The OpenAPI document explains itself: every operation, parameter and property has a description and an example."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from worker.api.description.glossary import NAMES
from worker.api.description.glossary_exceptions import SPECIAL


def _properties(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in described["components"]["schemas"].items():
        yield from _of(name, schema)
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                yield from _of(f"{method} {path}", content["schema"])


def _of(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, inner in schema.get("properties", {}).items():
        yield f"{name}.{key}", inner
        yield from _of(f"{name}.{key}", inner)


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def missing(described: dict[str, Any]) -> list[str]:
    """What has no description or no example."""
    lacking = [
        name for name, schema in _properties(described) if not schema.get("description") or not schema.get("examples")
    ]
    for name, operation in _operations(described):
        lacking += [name] if not operation.get("summary") or not operation.get("description") else []
        for parameter in operation.get("parameters", []):
            if not parameter.get("description") or "example" not in parameter:
                lacking.append(f"{name} {parameter['name']}")
    return lacking


def test_everything_is_explained(api: FastAPI) -> None:
    described = api.openapi()
    assert len(list(_properties(described))) > 500
    assert missing(described) == []


@pytest.mark.parametrize("key", ["booking_id", "limit", "schedule_date"])
def test_what_is_not_explained_is_found(api: FastAPI, key: str) -> None:
    described = deepcopy(api.openapi())
    for _name, operation in _operations(described):
        for parameter in operation.get("parameters", []):
            if parameter["name"] == key:
                del parameter["description"]
    for name, schema in _properties(described):
        if name.endswith(f".{key}"):
            del schema["description"]
    assert missing(described)


def test_examples_are_of_the_form_that_they_explain(api: FastAPI) -> None:
    described = api.openapi()
    root = {"components": described["components"]}
    # Parts of documents are shown short.
    shown = [
        (name, schema, example)
        for name, schema in _properties(described)
        for example in schema["examples"]
        if not isinstance(example, dict)
    ]
    for name, operation in _operations(described):
        shown += [(name, item["schema"], item["example"]) for item in operation.get("parameters", [])]
    assert len(shown) > 600
    wrong = [(name, example) for name, schema, example in shown if not _fits(schema, example, root)]
    assert wrong == []


def _fits(schema: dict[str, Any], example: object, root: dict[str, Any]) -> bool:
    """Whether `example` is of the form of `schema`; `root` has the schemas that it may refer to, and is large."""
    return bool(jsonschema_rs.is_valid(root | schema if "$ref" in str(schema) else schema, example))


def test_no_meaning_is_left_over(api: FastAPI) -> None:
    described = api.openapi()
    named = {name.rpartition(".")[2] for name, _ in _properties(described)}
    named |= {
        parameter["name"].lower()
        for _, operation in _operations(described)
        for parameter in operation.get("parameters", [])
    }
    assert NAMES.keys() - named == set()
    places = described["components"]["schemas"].keys() | {name for name, _ in _operations(described)}
    assert SPECIAL.keys() - places == set()


def test_answers_that_any_operation_may_give_are_described(api: FastAPI) -> None:
    for name, operation in _operations(api.openapi()):
        statuses = set(operation["responses"])
        assert {"405", "503"} <= statuses, name
        if "requestBody" in operation:
            assert {"400", "413", "415"} <= statuses, name
        if "security" in operation:
            assert {"401", "429"} <= statuses, name
    assert "200" in api.openapi()["paths"]["/v1/schedules"]["post"]["responses"]


def test_times_without_an_offset_are_not_called_times_with_one(api: FastAPI) -> None:
    for name, schema in _properties(api.openapi()):
        assert '"time"' not in str(schema).replace("'", '"'), name


def test_bounds_are_said_in_words_of_json_schema(api: FastAPI) -> None:
    """Behind a validator of ours pydantic writes `ge` and `le`, which no reader of a schema knows."""

    def keys(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(keys, value))
        return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()

    described = api.openapi()
    assert keys(described) & {"ge", "le", "gt", "lt", "max_digits", "decimal_places"} == set()
    (limit,) = [item for item in described["paths"]["/v1/jobs"]["get"]["parameters"] if item["name"] == "limit"]
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 200)
