"""Users who are marked for removal, and go after a time."""
