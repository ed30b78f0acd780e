"""Personal timetables: entries of a person of any role, their days, and the lessons at the same times.

Entries never take a lesson's time: a conflict is shown and refuses nothing. Lessons themselves do not belong here.
"""
