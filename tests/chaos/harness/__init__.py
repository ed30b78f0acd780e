"""Real servers and workers, and the faults that the chaos tests inject.

`python -m tests.chaos.harness` (by `make chaos`) is the long run. What is proven is read from an event log outside of
the system and from triggers that record every write to the database; the product's own statements are only compared.
"""
