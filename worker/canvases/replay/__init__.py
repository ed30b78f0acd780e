"""Replays of boards: what was visible when, as a film and as JSON for players in the browser."""
