"""The player of lessons: scripts, style sheet and words in each language, and packs made of them.

Pages of the API and jobs use it. Nothing here reads the database, the storage or a request.
"""
