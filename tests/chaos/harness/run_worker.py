"""A worker like `astegni worker`, that also does orders. It consumes QUEUES, or all queues."""

import os
import sys

os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from worker.app import TASK_MODULES, create_app, run_worker
from worker.logs import configure_logs
from worker.queue_names import queue_names, queues_of
from worker.settings import Settings

settings = Settings()
configure_logs("INFO")
app = create_app(settings, (*TASK_MODULES, "tests.chaos.harness.work"))
app.conf.worker_soft_shutdown_timeout = float(os.environ.get("SOFT_SHUTDOWN", "20"))
names = queues_of(os.environ["QUEUES"].split(","), settings) if "QUEUES" in os.environ else queue_names(settings)
run_worker(app, names, name=sys.argv[1], concurrency=settings.worker_concurrency)
