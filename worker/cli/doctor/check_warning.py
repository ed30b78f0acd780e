"""Something that works, but needs attention: a warning."""

from collections.abc import Sequence

from worker.errors import AstegniError, Misconfigured


class CheckWarning(AstegniError):
    """The part works, but needs attention."""

    code, title = "doubtful", "Doubtful"


def raise_findings(faults: Sequence[str], warnings: Sequence[str], *, of: str = "") -> None:
    """Raise Misconfigured with all faults, else CheckWarning with all warnings; `of`: their subject, printed first."""
    sentence = "; ".join(faults or warnings)
    if sentence:
        text = f"{of}: {sentence}." if of else f"{sentence[0].upper()}{sentence[1:]}."
        raise (Misconfigured if faults else CheckWarning)(text)
