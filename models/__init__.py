"""The tables: one file per group, the allowed values of columns in `states.py`, all tables together in `metadata.py`.

Only columns, constraints and indexes live here. No queries, no rules, no settings, and nothing of `worker`.
"""
