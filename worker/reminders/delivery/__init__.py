"""From a due row to a sent message: claim, decide, compose, send, write the outcome.

How a channel speaks is `worker.channels`; texts are `worker.reminders.texts`.
"""
