"""For operators and for those who wait: health, metrics, the log line of a request, jobs."""
