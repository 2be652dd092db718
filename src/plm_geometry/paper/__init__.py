"""What the paper prints, and verdicts of runs against it."""
