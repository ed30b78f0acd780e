"""What `astegni recordings adopt` prints for each recording."""

from typing import Any

from worker.recordings.objects.adoption import UNKNOWN
from worker.workflows.operations.adopt_recordings import Adoption


def sentence(adoption: Adoption, dry_run: bool) -> str:
    """One line for people."""
    if adoption.plan is None or adoption.error is not None:
        where = f" ({adoption.prefix})" if adoption.prefix else ""
        return f"astegni: recording {adoption.recording_id} is not adopted{where}: {adoption.error}"
    done = "Would be adopted" if dry_run else "Adopted"
    if adoption.is_renumbered:
        done += " under a new id" if dry_run else f" as recording {adoption.plan.recording_id}"
    origin = "as it was uploaded" if adoption.plan.is_source else "from its fast copy"
    return (
        f"{done}: recording {adoption.recording_id} of session {adoption.plan.session_id}, {origin} "
        f"({adoption.objects} objects, {adoption.bytes} bytes). Not known: {', '.join(UNKNOWN)}."
    )


def document(adoption: Adoption, *, dry_run: bool) -> dict[str, Any]:
    """The same as JSON values."""
    plan = adoption.plan
    return {
        "recording_id": adoption.recording_id,
        "new_id": plan.recording_id if plan and adoption.is_renumbered and not dry_run else None,
        "session_id": plan and plan.session_id,
        "object": plan and plan.object_name,
        "objects": adoption.objects,
        "bytes": adoption.bytes,
        "unknown": list(UNKNOWN),
        "done": adoption.error is None and not dry_run,
        "error": adoption.error,
    }
