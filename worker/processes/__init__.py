"""Celery's processes from inside: the worker's main process, its children, beat, and the link to the broker.

Here the pieces of the ledger (worker/jobs) meet Celery. No capability's rule belongs here.
"""
