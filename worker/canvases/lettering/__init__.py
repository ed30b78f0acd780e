"""Letters on a canvas: which faces, shaped how, how dark. Nothing of pages or strokes."""
