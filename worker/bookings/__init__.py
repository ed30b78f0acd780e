"""How students come to tutors, and stay: requests, enrolments made, listed, paused and ended, the tutor's students.

What may follow what is pure (`statuses`, `enrollments`, `frequency`). Making and moving lessons must not enter: a
workflow joins them with bookings.
"""
