"""Whiteboard sessions, pages, strokes and recordings of the platform."""
