"""Recordings of one session in relation to each other: what can be combined, and when each was recorded."""
