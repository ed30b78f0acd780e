"""Smaller versions of a recording, the index of their fragments, and the file for download."""
