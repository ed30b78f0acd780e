"""Health, metrics, request logs and jobs: for operators, and for clients that wait for a job."""
