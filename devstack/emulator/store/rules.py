"""Validate CORS and lifecycle rules. Lifecycle rules are stored and returned, but not applied."""

from devstack.emulator.errors import Json, bad_request

_MAX_RULES = 100
_MAX_CORS_AGE = 86_400
CORS_OPERATIONS = frozenset(
    {
        "b2_download_file_by_name", "b2_download_file_by_id", "b2_upload_file", "b2_upload_part",
        "s3_delete", "s3_get", "s3_head", "s3_post", "s3_put",
    }
)  # fmt: skip
_LIFECYCLE_DAYS = (
    "daysFromHidingToDeleting",
    "daysFromUploadingToHiding",
    "daysFromStartingToCancelingUnfinishedLargeFiles",
)


def check_lifecycle_rules(rules: list[Json]) -> list[Json]:
    """`rules`, each completed to all four fields (Backblaze: lifecycle rules)."""
    if len(rules) > _MAX_RULES:
        raise bad_request(f"A bucket has at most {_MAX_RULES} lifecycle rules.")
    prefixes = [rule.get("fileNamePrefix") for rule in rules]
    if not all(isinstance(prefix, str) for prefix in prefixes):
        raise bad_request("A lifecycle rule needs a fileNamePrefix.")
    if len(set(prefixes)) != len(prefixes):
        raise bad_request("Two lifecycle rules have the same fileNamePrefix.")
    return [_complete_lifecycle_rule(rule) for rule in rules]


def _complete_lifecycle_rule(rule: Json) -> Json:
    unknown = rule.keys() - {"fileNamePrefix", *_LIFECYCLE_DAYS}
    if unknown:
        raise bad_request(f"A lifecycle rule has no field {min(unknown)}.")
    days = {name: rule.get(name) for name in _LIFECYCLE_DAYS}
    for name, value in days.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise bad_request(f"{name} must be a positive number of days, or null.")
    if not any(days.values()):
        raise bad_request("A lifecycle rule must do something.")
    return {"fileNamePrefix": rule["fileNamePrefix"], **days}


def check_cors_rules(rules: list[Json]) -> list[Json]:
    """`rules` with their optional lists filled in (Backblaze: cross-origin resource sharing rules)."""
    if len(rules) > _MAX_RULES:
        raise bad_request(f"A bucket has at most {_MAX_RULES} CORS rules.")
    return [_complete_cors_rule(rule) for rule in rules]


def _complete_cors_rule(rule: Json) -> Json:
    name, age = rule.get("corsRuleName"), rule.get("maxAgeSeconds", 0)
    if not isinstance(name, str) or not name:
        raise bad_request("A CORS rule needs a corsRuleName.")
    if isinstance(age, bool) or not isinstance(age, int) or not 0 <= age <= _MAX_CORS_AGE:
        raise bad_request(f"maxAgeSeconds must be between 0 and {_MAX_CORS_AGE}.")
    operations = _texts(rule, "allowedOperations")
    if not operations or not CORS_OPERATIONS.issuperset(operations):
        raise bad_request(f"allowedOperations must be some of {', '.join(sorted(CORS_OPERATIONS))}.")
    origins = _texts(rule, "allowedOrigins")
    if not origins or any(origin.count("*") > 1 for origin in origins):
        raise bad_request("allowedOrigins needs at least one origin, each with at most one '*'.")
    return {
        "corsRuleName": name,
        "allowedOrigins": origins,
        "allowedOperations": operations,
        "allowedHeaders": _texts(rule, "allowedHeaders"),
        "exposeHeaders": _texts(rule, "exposeHeaders"),
        "maxAgeSeconds": age,
    }


def _texts(rule: Json, name: str) -> list[str]:
    values = rule.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise bad_request(f"{name} must be a list of strings.")
    return values
