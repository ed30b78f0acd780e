"""The spool on disk: uploaded bytes, from the first one until B2 has them.

It knows files and their digests, not what they are recordings of.
"""
