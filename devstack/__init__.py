"""Embedded servers for development and tests: PostgreSQL, Valkey, a Backblaze B2 emulator and a mailbox.

Real servers from wheels, run as child processes that end with their parent, and a supervisor for the processes that
use them. Nothing of the product belongs here: a server is started, waited for, named by its URL, watched and stopped.
"""
