"""The HTTP door: turns requests into calls of the families, and their answers into responses."""
