"""Celery tasks, one module per capability; each is one call.

Nobody imports this package: Celery loads its modules by name (worker/app.py).
"""
