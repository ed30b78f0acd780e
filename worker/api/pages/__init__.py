"""Pages and scripts that browsers load. They read the API like any other client."""
