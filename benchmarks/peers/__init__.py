"""What is measured beside: bare Celery, a bare upload, other renderers."""
