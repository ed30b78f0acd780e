"""A small Backblaze B2 on one disk: it speaks B2's native API, so the official clients work against it unchanged.

It exists so that a laptop, the tests and `astegni up` need no account. What it answers follows Backblaze's
published API; what it cannot do (file lock, replication, notifications) it refuses. Nothing of our own product
may enter: a client must not be able to tell what it is used for.
"""
