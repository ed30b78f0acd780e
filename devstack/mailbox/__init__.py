"""A mail server for development and tests: it takes every message by SMTP, keeps it, and delivers none.

HTTP returns the messages as JSON. It is no mail client: a page that needs a script or a session does not belong here.
"""
