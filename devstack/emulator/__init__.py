"""A Backblaze B2 emulator over one directory: it serves B2's native API, so the official clients work unchanged.

Its responses follow Backblaze's published API; it rejects what it does not implement (file lock, replication,
notifications). Nothing about the files of a particular product belongs here.
"""
