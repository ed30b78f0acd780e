"""Run ffmpeg and ffprobe within limits."""
