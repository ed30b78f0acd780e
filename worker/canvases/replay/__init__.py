"""A board as it came to be: when what was to be seen, as a film and for a page that draws by itself."""
