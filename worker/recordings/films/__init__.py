"""Recordings of one session beside one another: what can be combined, and when each was recorded."""
