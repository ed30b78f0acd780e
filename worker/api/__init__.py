"""The HTTP door: it reads requests, asks the rooms below, and writes answers.

No rule and no SQL enters here; a route is a sentence. Every error leaves as a problem document.
"""
