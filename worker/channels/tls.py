"""Which certificate authorities are trusted."""

import ssl
from functools import cache


@cache
def system_trust() -> ssl.SSLContext:
    """The certificate authorities of the system (or of SSL_CERT_FILE), read once because it takes about 30 ms."""
    return ssl.create_default_context()
