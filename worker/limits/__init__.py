"""How much one person, or one address where there is no person, may do and have open.

Rates are pure (`rates.py`); use is counted in PostgreSQL (`counters.py`), and so is what all processes have open
(`leases.py`). What can be counted from rows (unfinished jobs) is counted by the package that owns the rows. No rule of
a capability belongs here.
"""
