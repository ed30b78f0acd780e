"""`python -m worker.cli` is `astegni`, for processes that we start ourselves."""

from worker.cli.main import main

main()
