"""How much one person, or one address when there is no person, may do and have open.

Rates are pure (`rates.py`). Use is counted in PostgreSQL (`counters.py`), as is what all processes have open
(`leases.py`). What can be counted from rows (unfinished jobs) is counted by the package that owns the rows. No rule of
a capability belongs here.
"""
