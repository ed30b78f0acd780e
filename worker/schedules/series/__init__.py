"""Series: the lessons that a rule requires, compared with those that are stored, and changed where they differ.

`plan` is pure. Single lessons, requests and calendars do not belong here.
"""
