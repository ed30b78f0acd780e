"""The room that knows Backblaze B2: it moves files to and from one private bucket, and nobody else imports b2sdk.

What an object is called, and what it is for, is decided elsewhere: no recording, lesson or database may enter.
"""
