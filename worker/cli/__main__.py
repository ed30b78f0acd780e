"""`python -m worker.cli` runs `astegni`, for processes that we start ourselves."""

from worker.cli.main import main

main()
