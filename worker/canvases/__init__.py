"""The board as it was: stored strokes become pictures, documents and films.

Values and rules (`figures`, `stroke_data`, `pages`) know no drawing engine; one routine (`drawing`) draws for every
form. No SQL of other capabilities, no HTTP and no Celery must enter.
"""
