"""Stored images and documents of boards: their names, their content digests, and whether they are up to date."""
