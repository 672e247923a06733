"""Users who are made of a file, in the background."""
