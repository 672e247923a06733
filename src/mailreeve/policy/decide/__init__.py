"""What becomes of a message or a web request, and the trace of how it was decided."""
