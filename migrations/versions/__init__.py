"""The revisions, one file each, in one line of descent. A released one is never edited: the next one corrects it."""
