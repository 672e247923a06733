"""What became of each message, recipient by recipient (behaviour.md section 8.5)."""
