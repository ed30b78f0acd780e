"""Posters, storyboards, previews, scene changes."""
