"""Bookings, requests, lessons and series, in lists and as calendars, and their alarms."""
