"""Reminders and notifications: what is due when, for whom, by which channel, and its text.

The protocols of channels (SMTP, HTTP, apprise) are in `worker.channels`; changes to lessons are workflows. Neither
belongs here.
"""
