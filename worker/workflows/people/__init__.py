"""People: verified at each request, compared with the platform, exported and erased."""
