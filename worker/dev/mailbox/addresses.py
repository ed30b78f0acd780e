"""Where a mailbox is."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Addresses:
    """Where the mailbox is: `smtp` as host:port, `url` of the page and the JSON."""

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
