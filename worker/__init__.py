"""How we work: everything in the background and behind the doors of the project, in layers (pyproject.toml)."""
