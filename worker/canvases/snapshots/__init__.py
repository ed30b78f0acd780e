"""The pictures of boards that are kept: how they are named, what they show, whether they still show it."""
