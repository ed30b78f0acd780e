"""How the store came to be: hand-written Alembic revisions, numbered `0001_…`, each with its way back.

A revision never imports models: it says what the tables were on its day, and models change afterwards. Nothing imports
this package either; `worker/migrate.py` finds it on disk and Alembic runs it.
"""
