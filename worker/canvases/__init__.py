"""Whiteboard rendering: turns stored strokes into images, documents and films.

`stored` parses stored data into shapes, `drawing` (with `lettering`) renders shapes in every format, `snapshots`
keeps track of rendered files, `replay` renders how a board was drawn over time. SQL of other capabilities, HTTP and
Celery must not be used here.
"""
