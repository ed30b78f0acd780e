"""Time zones from one pinned database, the Ethiopian calendar beside the Gregorian one, and iCalendar text.

Common ground: arithmetic and formats that know neither lessons nor tables. Rules of recurrence belong to
`worker.schedules`.
"""
