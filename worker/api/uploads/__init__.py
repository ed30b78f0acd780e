"""Uploads: tus 1.0, the form in one request, and the server's clock, by which pages date what they record."""
