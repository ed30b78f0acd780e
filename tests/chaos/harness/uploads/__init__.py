"""Uploads in pieces during kills: tus clients and a browser's recorder, and which of their bytes reach B2.

What a client or the browser's disk knows to be acknowledged or written is the expectation; the product's own tables are
only compared.
"""
