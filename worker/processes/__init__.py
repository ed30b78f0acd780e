"""Celery's processes: the worker's main process, its children, beat, and the connection to the broker.

This package connects the ledger (worker/jobs) to Celery. No rule of a capability belongs here.
"""
