"""What a draft of changes would have done to messages of the past."""
