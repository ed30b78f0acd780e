"""Sends a message by mail, to a webhook, or through a service that apprise supports.

Knows no lessons, reminders, tables or queues: who receives what, and when, is decided elsewhere.
"""
