"""A worker like `astegni worker --queues default,reminders`, with a soft shutdown that ends when all is sent."""

import os

os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

from worker.app import create_app, run_worker
from worker.logs import configure_logs
from worker.settings import Settings

settings = Settings()
configure_logs("INFO")
app = create_app(settings)
app.conf.worker_soft_shutdown_timeout = 100.0
run_worker(app, ["default", "reminders"], name="dispatcher", concurrency=settings.worker_concurrency)
