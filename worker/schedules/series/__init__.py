"""Series: the lessons that a rule requires are compared with the stored ones, which are changed where they differ.

`plan` is pure. Single lessons, requests and calendars do not belong here.
"""
