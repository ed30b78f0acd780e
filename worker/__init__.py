"""The worker: its API, its background jobs and the rules behind both, in layers (pyproject.toml)."""
