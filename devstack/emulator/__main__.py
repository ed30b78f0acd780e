"""The command `b2-emulator`."""

import argparse
from pathlib import Path

from devstack.command import report_errors
from devstack.emulator.command import serve
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="b2-emulator", description="Serve Backblaze B2's native API from one folder.")
    parser.add_argument("--data", type=Path, help="folder of objects and keys; default: a temporary one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; default: a free one")
    parser.add_argument("--bucket", default=DEFAULT_BUCKET, help="bucket made at the start; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the credentials as one line of JSON")
    given = parser.parse_args()
    with report_errors("b2-emulator"):
        serve(given.data, host=given.host, port=given.port, bucket=given.bucket, json=given.json)


if __name__ == "__main__":
    main()
