"""What every request passes, and what routes share: callers, fields, lists, errors, streams, limits of connections."""
