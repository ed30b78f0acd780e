"""Renders pages as PNG, WebP, SVG and PDF, all by one routine (`page`). No database or object store is used here."""
