"""Media files: analyse a recording, copy it so that browsers can seek, and take pictures of it.

It knows files, the two binaries (ffmpeg, ffprobe) and how to run them safely on untrusted bytes. What must not be put
here: lessons, table rows, B2, Celery. The caller passes paths, budgets and callables.
"""
