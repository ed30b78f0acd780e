"""The objects of recordings on B2: their names, and how they differ from the rows."""
