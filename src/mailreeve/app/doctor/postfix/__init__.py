"""Does the Postfix beside us do what its place needs? Its settings against ours, by rules that touch nothing."""
