"""Personal timetables: a person's entries in any role, their days, and the lessons at the same times.

Entries never occupy a lesson's time: a conflict is shown, and nothing is rejected. Lessons themselves do not belong
here.
"""
