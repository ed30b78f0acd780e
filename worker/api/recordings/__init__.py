"""Recordings, and what is played, read, shared and downloaded of them."""
