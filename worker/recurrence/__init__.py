"""Recurrence rules: from what a form, a phrase or an RRULE says to days and instants.

Pure, and common ground: no SQL, clock, HTTP or lesson enters. What is stored for a rule is `worker.schedules`.
"""
