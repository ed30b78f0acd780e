"""Pages become PNG, WebP, SVG and PDF, all by one routine (`page`). No database and no store."""
