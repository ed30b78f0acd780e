"""Lessons and series: created from a recurrence rule or singly, changed, booked and read.

The rules themselves are in `worker.recurrence`. Reminding people of lessons (`worker.reminders`) and connecting lessons
with bookings or whiteboards (workflows) do not belong here.
"""
