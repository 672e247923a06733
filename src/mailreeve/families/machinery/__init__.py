"""What every family works with: a call, its endpoints, paging, references, the list of families."""
