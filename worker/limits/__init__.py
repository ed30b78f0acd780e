"""How much one person, or one address where there is no person, may do: the rates, and the counters behind them.

Rates are pure (`rates.py`); what was used is counted in PostgreSQL (`counters.py`). What rows can be counted from
(live jobs, open uploads) is counted there by whoever owns the rows. No rule of a capability belongs here.
"""
