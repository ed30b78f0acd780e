"""`python -m benchmarks.platform_import OURS THEIRS`: one import in a process of its own; prints JSON about it."""

import json
import resource
import sys
import time

from worker.database import Database
from worker.platform.connection import PlatformConnection
from worker.platform.zone import ServerZone
from worker.settings import Settings
from worker.workflows.platform_import.pull import import_platform


def main() -> None:
    """Import everything, and print seconds, rows read, and the peak of resident memory in bytes."""
    database = Database(Settings(database_url=sys.argv[1]).sqlalchemy_url, pool_size=1)
    connection = PlatformConnection(sys.argv[2])
    zone = ServerZone("Europe/Berlin")
    began = time.perf_counter()
    reports = list(import_platform(database, connection, timezone="Africa/Addis_Ababa", server_zone=zone))
    seconds = time.perf_counter() - began
    connection.close()
    database.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    counts = {report.kind: dict(+report.counts) for report in reports}
    print(json.dumps({"seconds": seconds, "peak": peak, "counts": counts}))


if __name__ == "__main__":
    main()
