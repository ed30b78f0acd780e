"""Celery tasks, one module per capability; each is a single call.

No other package imports this one: Celery loads its modules by name (worker/app.py).
"""
