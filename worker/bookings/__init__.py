"""Enrolments of students with tutors: made, listed, paused and ended.

What may follow what is pure (`statuses.py`). Lessons and whiteboard sessions of a booking are other rooms' business.
"""
