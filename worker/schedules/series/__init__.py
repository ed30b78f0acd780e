"""Series: the rows of a rule, compared with the lessons that are stored, and changed where they differ.

`plan` is pure. Single lessons, requests and calendars must not enter.
"""
