"""What happens in the background, one module per capability; each task is one call.

Nobody imports this package: Celery loads its modules by name (worker/app.py).
"""
