"""Real servers, real workers, and everything that can go wrong between them: what the chaos tests are made of.

`python -m mayhem` (by `make chaos`) is the long run. What is proven is read from a ledger of its own, outside of the
system, and from triggers that write down what the database was told; the product's own words are only compared.
"""
