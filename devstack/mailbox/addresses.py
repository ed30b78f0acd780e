"""The addresses of a running mailbox."""

from dataclasses import dataclass

from devstack.json_line import JsonLine


@dataclass(frozen=True)
class Addresses(JsonLine):
    """`smtp` as host:port, `url` of the HTTP side."""

    smtp: str
    url: str

    @property
    def smtp_host(self) -> str:
        """The host that accepts mail."""
        return self.smtp.rpartition(":")[0]

    @property
    def smtp_port(self) -> int:
        """The port that accepts mail."""
        return int(self.smtp.rpartition(":")[2])
