"""The spool on disk: uploaded bytes, from the first one until B2 has them.

It knows files and their digests, not the recordings that they become.
"""
