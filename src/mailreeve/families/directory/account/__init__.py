"""The account that the caller belongs to, and what it may use."""
