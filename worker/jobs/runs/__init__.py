"""One run of a job: claimed, performed, kept alive, cancelled, and ended under its fencing token."""
