"""The command `mail-catcher`."""

import argparse
from pathlib import Path

from devstack.command import report_errors
from devstack.mailbox.command import serve


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="mail-catcher", description="Take every mail on loopback and deliver none.")
    parser.add_argument("--data", type=Path, help="folder of messages; default: a temporary one")
    parser.add_argument("--smtp-port", type=int, default=0, help="port that takes mail; default: a free one")
    parser.add_argument("--port", type=int, default=0, help="port that shows it as JSON; default: a free one")
    parser.add_argument("--json", action="store_true", help="print the addresses as one line of JSON")
    given = parser.parse_args()
    with report_errors("mail-catcher"):
        serve(given.data, smtp_port=given.smtp_port, port=given.port, json=given.json)


if __name__ == "__main__":
    main()
