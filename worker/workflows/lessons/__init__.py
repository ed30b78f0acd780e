"""Requests, bookings and lessons, with the reminders and notices that follow their changes."""
