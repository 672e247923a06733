"""Is everything as a server needs it? Looked at from outside, changing nothing, and told with what to do."""
