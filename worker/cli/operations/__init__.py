"""Commands of operators: jobs, recordings, backups, people, reminders, workers."""
