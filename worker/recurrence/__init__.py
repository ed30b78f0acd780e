"""Recurrence rules: from a form, a phrase or an RRULE to days and instants.

Pure: no SQL, clock, HTTP or lesson belongs here. Storing series of lessons is `worker.schedules`.
"""
