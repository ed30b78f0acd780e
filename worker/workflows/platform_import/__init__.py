"""Import the platform's rows into our tables: all of them once, and each minute those that have changed.

One module for each kind of row (`kind.py` says what a kind is), in the order of `kinds.py`; `run.py` reads, compares
and commits. What the rows mean is decided here; the statements are those of our tables' owners. Nothing here notifies
anybody.
"""
