"""What a draft of policy changes would have done to the mail of the past days, before anybody makes the
changes."""
