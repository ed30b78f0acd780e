"""Recordings, from their ingest to searching them, and their removal."""
