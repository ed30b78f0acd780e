"""Requests, bookings and a tutor's students: how bookings are made, listed, paused and ended.

The allowed transitions (`statuses`), `legacy_enrollments` and `frequency` are pure. Creating and moving lessons does
not belong here: workflows combine bookings with schedules.
"""
