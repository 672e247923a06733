"""What a message leaves behind, of all families that keep something of it."""
