"""One function per verb that touches several capabilities in one transaction: finish an ingest, delete a recording.

Capabilities do not know one another; what connects them is here. No HTTP, no Celery, no rule that a capability could
decide by itself.
"""
