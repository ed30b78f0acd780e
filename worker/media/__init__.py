"""Media files: what is in a recording, a copy of it that browsers can seek, a still picture of it.

The room knows files, the two binaries (ffmpeg, ffprobe) and how to run them safely on bytes that strangers made.
What must not enter: lessons, table rows, B2, Celery. The caller gives paths, budgets and callables.
"""
