"""Where uploaded bytes wait: the spool on disk, from the first byte to the moment B2 has them.

It knows files and their digests, not what they are recordings of.
"""
