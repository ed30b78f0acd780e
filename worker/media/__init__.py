"""Media files: what is in a recording, a copy of it that browsers can seek, a still picture of it.

It knows files, the two binaries (ffmpeg, ffprobe) and how to run them safely on untrusted bytes.
What must not be put here: lessons, table rows, B2, Celery. The caller gives paths, budgets and callables.
"""
