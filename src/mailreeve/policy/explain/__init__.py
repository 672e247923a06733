"""What a decision found, in words, and why a policy that somebody expected did not win."""
