"""What the policy families share."""
