"""What we claim, measured beside peers on the real stack: run by `make bench`, read in docs/figures.md.

Only measuring belongs here. Nothing of the product imports it, no test asserts a time, and every figure is a ratio
to a peer or to a limit in the same run: seconds of one machine say nothing on another.
"""
