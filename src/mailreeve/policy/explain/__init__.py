"""Why a policy that somebody expected did not win."""
