"""Recordings, from the ingest to the search in them, and their removal."""
