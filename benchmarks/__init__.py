"""Our claims, measured beside peers on the real stack: run by `make bench`, published in docs/benchmarks.md.

Nothing of the product imports this package, and no test asserts a time. Every figure is a ratio to a peer or to a limit
in the same run, since seconds on one machine say nothing about another.
"""
