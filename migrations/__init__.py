"""Hand-written Alembic revisions, numbered `0001_…`, each with a downgrade.

A revision never imports models: it says what the tables were on its day, and models change afterwards. Nothing imports
this package either; `worker/migrate.py` finds it on disk and Alembic runs it.
"""
