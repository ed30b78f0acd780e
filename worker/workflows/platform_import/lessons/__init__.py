"""Lessons and personal timetables of the platform."""
