"""Whiteboard sessions and their boards: opened, run, drawn, and shown beside recordings."""
