"""A mail server for development and tests: it accepts every message by SMTP, stores it, and delivers none.

HTTP returns the messages as JSON. It is not a mail client: a page that needs a script or a session does not belong
here.
"""
