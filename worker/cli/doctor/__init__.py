"""`astegni doctor`: one screen that says what is wrong and what to do. Each module checks one kind of part.

A check returns a sentence when all is well and raises an error otherwise: `Doubtful` where it works but needs care.
"""
