"""The command line `astegni`: one module for each group of commands. A door: it builds settings and starts things.

Heavy imports (Celery, ffmpeg, the web server) are made inside the commands, so that `astegni --help` is quick.
"""
