"""Something that works, but needs attention: a warning."""

from collections.abc import Sequence

from worker.errors import AstegniError, Misconfigured


class Doubtful(AstegniError):
    """The part works, but needs attention."""

    code, title = "doubtful", "Doubtful"


def raise_findings(faults: Sequence[str], doubts: Sequence[str], *, of: str = "") -> None:
    """Raise Misconfigured with all faults, else Doubtful with all doubts; `of`: their subject, printed first."""
    sentence = "; ".join(faults or doubts)
    if sentence:
        text = f"{of}: {sentence}." if of else f"{sentence[0].upper()}{sentence[1:]}."
        raise (Misconfigured if faults else Doubtful)(text)
