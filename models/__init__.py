"""What is stored: one file per table group, the stored words in `states.py`, all tables together in `metadata.py`.

Only columns, constraints and indexes live here. No queries, no rules, no settings, and nothing of `worker`.
"""
