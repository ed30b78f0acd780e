"""How much one person, or one address where there is no person, may do and have open.

Rates are pure (`rates.py`); what was used is counted in PostgreSQL (`counters.py`), and so is what is open at all
processes (`leases.py`). What rows can be counted from (live jobs) is counted there by whoever owns the rows. No rule
of a capability belongs here.
"""
