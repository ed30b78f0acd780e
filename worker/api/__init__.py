"""The HTTP entry point: it parses requests, calls the packages below, and writes responses.

No business rule and no SQL belongs here, and routes are short. Every error becomes a problem document.
"""
