"""The command line `astegni`, an entry point that reads the settings and starts processes: a module for each group.

Heavy modules (Celery, ffmpeg, the web server) are imported inside the commands, so that `astegni --help` is fast.
"""
