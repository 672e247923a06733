"""Many objects at once: rows of a table that come in, in one revision, and go out as they would come in."""
