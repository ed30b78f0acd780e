"""Uploads in pieces under kills: raw tus clients and a browser's recorder, and what of their bytes is on B2.

What a client or the browser's disk knows to be acknowledged or written is the expectation; the product's own tables are
only compared.
"""
