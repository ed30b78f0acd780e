"""From a due row to a sent message: claim, decide, compose, send, write the outcome.

The protocols of channels are `worker.channels`; texts are `worker.reminders.texts`.
"""
