"""Our claims, measured beside peers on the real stack: run by `make bench`, published in docs/figures.md.

Only measuring belongs here. Nothing of the product imports it, no test asserts a time, and every figure is a ratio to a
peer or to a limit in the same run: seconds on one machine say nothing about another.
"""
