"""The digital whiteboard's store: sessions, pages, strokes and events.

The checks of strokes and drawing rights are pure (`stroke_validation.py`). Rendering, recordings and bookings do not
belong here: a session knows only the id of its booking.
"""
