"""Complete the OpenAPI document: all responses of each route, and the meaning of every name."""

from collections.abc import Mapping
from typing import Any

from worker.api.description.glossary import NAMES, Meaning
from worker.api.description.glossary_exceptions import SPECIAL
from worker.api.http.problems import Problem, responses
from worker.api.whiteboards.stroke_documents import StrokesBody
from worker.api.whiteboards.stroke_schema import STROKE_DATA

# Problems of every route: for a wrong method, and those of routes with a body or a caller.
_ALWAYS = (405, 503)
_WITH_A_BODY = (400, 413, 415)
_WITH_A_CALLER = (429,)


def complete(description: dict[str, Any]) -> dict[str, Any]:
    """Add the problems and the meanings that routes do not state themselves. Idempotent."""
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("Problem", Problem.model_json_schema())
    # The route parses this body itself.
    strokes = StrokesBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= strokes.pop("$defs") | {"StrokesBody": strokes}
    for name, schema in schemas.items():
        _explain(schema.get("properties", {}), SPECIAL.get(name, {}))
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            _complete_operation(operation, SPECIAL.get(f"{method.upper()} {path}", {}))
    return description


def _complete_operation(operation: dict[str, Any], special: Mapping[str, Meaning]) -> None:
    statuses: tuple[int, ...] = _ALWAYS
    statuses += _WITH_A_BODY if "requestBody" in operation else ()
    statuses += _WITH_A_CALLER if "security" in operation else ()
    for status, response in responses(*statuses).items():
        operation["responses"].setdefault(str(status), response)
    for parameter in operation.get("parameters", []):
        meaning = special.get(parameter["name"]) or NAMES.get(parameter["name"].lower())
        if meaning is not None:
            description, example = meaning
            parameter.setdefault("description", description)
            parameter.setdefault("example", parameter["schema"].get("examples", [example])[0])
    for content in operation.get("requestBody", {}).get("content", {}).values():
        _explain(content["schema"].get("properties", {}), special)


def _explain(properties: dict[str, Any], special: Mapping[str, Meaning]) -> None:
    """Describe each property, unless its model already does."""
    for name, schema in properties.items():
        if name == "stroke_data":
            schema.update(STROKE_DATA)
        meaning = special.get(name) or NAMES.get(name)
        if meaning is not None:
            description, example = meaning
            schema.setdefault("description", description)
            schema.setdefault("examples", [example])
