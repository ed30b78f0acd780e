"""Reminders and notifications: what is due when, to whom, by which channel and in which words.

The protocols of channels (SMTP, HTTP, apprise) are `worker.channels`; changes to lessons are workflows. Neither belongs
here.
"""
