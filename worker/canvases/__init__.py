"""The board as it was: stored strokes become pictures, documents and films.

What is stored is read into figures (`stored`), one routine draws figures in every form (`drawing`, with `lettering`);
`snapshots` keeps pictures, `replay` tells how they came to be. No SQL of other capabilities, no HTTP and no Celery must
enter.
"""
