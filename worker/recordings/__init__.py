"""Recordings of lessons: registered, ingested, played, deleted.

Rules (names of objects, columns of the row) are pure functions; the functions that probe, copy and upload keep no
transaction open. Nothing here depends on the whiteboard, the spool's disk or HTTP requests.
"""
