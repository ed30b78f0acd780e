"""Requests, bookings and a tutor's students: bookings made, listed, paused and ended.

The allowed transitions are pure (`statuses`), as are `legacy_enrollments` and `frequency`. Creating and moving lessons
does not belong here: a workflow joins them with bookings.
"""
