"""What every family works with: a call, how it is carried out, in turn with others, and paging."""
