"""The live platform's database, which is only read: by a role that may SELECT some columns.

Nothing here writes to it, locks a row of it or reads a password hash. What is read is stored by the owners of our
tables; a workflow joins the two. Of our tables those are kept here that say which row became which (`links`), what was
refused (`refusals`), and how far was read (`pulls`).
"""
