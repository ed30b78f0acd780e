"""What operators and the timetable do to the whole installation: act on jobs by filter, check backups, sweep."""
