"""Recordings of lessons: registered, ingested, played, deleted.

Rules (names of objects, what the row says) are pure; the shells that probe, copy and upload hold no transaction
while they work. Nothing here knows the whiteboard, the spool's disk or a request.
"""
