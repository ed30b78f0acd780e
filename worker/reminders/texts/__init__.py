"""The text of a message in the reader's language, time zone and calendar, and its lesson as a calendar file.

Pure: plain data in (`data`), subject, text and HTML out. Rows, clocks, addresses and sending do not belong here. The
sentences are in `templates/`, one file per language and kind; words that depend on numbers and dates in `english` and
`amharic`.
"""
