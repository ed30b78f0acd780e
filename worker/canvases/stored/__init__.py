"""What is stored becomes what can be drawn: strokes of every shape and age, pages, boards in files.

Pure, and it never fails on bad data. Only how wide a text is asks the engine.
"""
