"""What operators and the timetable do to the whole: jobs by filter, backups, sweeps."""
