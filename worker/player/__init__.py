"""The player of lessons: scripts, style sheet, texts in each language, and packs made of them.

Used by the API's pages and by jobs. Nothing here reads the database, the storage or a request.
"""
