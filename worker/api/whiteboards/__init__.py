"""Whiteboard sessions, their pages and strokes, and the pictures and films of boards."""
