"""The platform of 2025, as the document of its tables describes it."""
