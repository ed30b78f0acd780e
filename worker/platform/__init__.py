"""The live platform's database, which is only read: by a role that may SELECT some columns.

Nothing here writes to it, locks its rows or reads a password hash. What is read is stored by the owners of our tables;
a workflow connects the two. The package owns three of our tables: which row became which (`links`), what was refused
(`refusals`), and how far was read (`pulls`).
"""
