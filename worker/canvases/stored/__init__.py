"""Converts stored data to shapes that can be drawn: strokes of every format and age, pages, boards in files.

Pure, and never fails on bad data. The drawing engine is used only to measure text.
"""
