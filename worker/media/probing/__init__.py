"""What a recording contains: its tracks, their true times, and what was lost."""
