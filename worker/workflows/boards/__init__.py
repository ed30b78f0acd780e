"""Whiteboard sessions and their boards: how they are opened, run, drawn, and shown beside recordings."""
