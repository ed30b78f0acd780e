"""Recordings of lessons: how they are registered, ingested, played, deleted.

Rules (names of objects, columns of the row) are pure functions; functions that probe, copy and upload keep no
transaction open. Nothing here depends on the whiteboard, the spool's disk or HTTP requests.
"""
