"""Rows of the platform become rows of ours: once for all of them, and each minute for those that have changed.

One module for each kind of row (`kind.py` says what a kind is), in the order of `kinds.py`; `run.py` reads, compares
and commits. What the rows mean is decided here, the statements are those of the owners of our tables. Nothing here
notifies anybody.
"""
