"""Smaller forms of a recording, the index of their fragments, and what is downloaded."""
