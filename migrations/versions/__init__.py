"""The revisions, one file each, in a linear history. A released one is never edited: the next one corrects it."""
