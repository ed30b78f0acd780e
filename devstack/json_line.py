"""Values that one process prints and another reads."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class JsonLine:
    """The base of dataclasses that are written as one line of JSON."""

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """The value that `as_json` wrote. Raises ValueError for anything else."""
        try:
            return cls(**json.loads(line))
        except TypeError:
            raise ValueError("not the expected names") from None
