"""Renditions of a recording, made from its fast copy."""
