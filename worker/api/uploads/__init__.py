"""Bytes on their way in: tus 1.0, the form of one request, and the clock by which pages date what they record."""
