"""The addresses of a running mailbox."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class Addresses:
    """`smtp` as host:port, `url` of the HTTP side."""

    smtp: str
    url: str

    @property
    def smtp_host(self) -> str:
        """The host that takes mail."""
        return self.smtp.rpartition(":")[0]

    @property
    def smtp_port(self) -> int:
        """The port that takes mail."""
        return int(self.smtp.rpartition(":")[2])

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """What `as_json` wrote. Raises ValueError for anything else."""
        try:
            return cls(**json.loads(line))
        except TypeError:
            raise ValueError("not the expected names") from None
