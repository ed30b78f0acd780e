"""Access to Backblaze B2: moves files to and from one private bucket; no other package imports b2sdk.

The names and purposes of objects are decided elsewhere: recordings, lessons and database code do not belong here.
"""
