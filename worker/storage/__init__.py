"""Access to Backblaze B2: moves files to and from one private bucket, and nobody else imports b2sdk.

What an object is called, and what it is for, is decided elsewhere: no recording, lesson or database may enter.
"""
