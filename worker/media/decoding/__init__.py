"""Decode pictures and sound to learn whether they can be decoded, what they show, and how loud they are."""
