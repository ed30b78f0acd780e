"""Time zones from one pinned database, the Ethiopian calendar beside the Gregorian one, and iCalendar text.

Shared by all packages: arithmetic and formats that depend on neither lessons nor tables. Recurrence rules are in
`worker.recurrence`.
"""
