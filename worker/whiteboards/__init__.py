"""The digital whiteboard's store: sessions, pages, strokes, and what happened when.

What a stroke may hold and who may draw it is pure (`strokes.py`, `drawing_rights.py`). Rendering, recordings and
bookings do not enter: a session knows its booking by id only.
"""
