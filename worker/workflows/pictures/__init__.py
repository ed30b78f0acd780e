"""Pictures of a recording: posters, storyboard, preview, and chapters of its scenes."""
