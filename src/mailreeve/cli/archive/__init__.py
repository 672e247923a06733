"""The commands about archived mail."""
