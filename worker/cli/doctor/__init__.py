"""`astegni doctor`: one screen that says what is wrong and what to do. Each module checks one kind of part.

A check returns a sentence when all is well and raises an error otherwise: `CheckWarning` where it works but needs care.
"""
