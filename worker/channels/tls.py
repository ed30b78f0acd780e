"""Whose certificates are trusted."""

import ssl
from functools import cache


@cache
def system_trust() -> ssl.SSLContext:
    """The certificate authorities of the system (or of SSL_CERT_FILE), read once: that takes some 30 ms."""
    return ssl.create_default_context()
