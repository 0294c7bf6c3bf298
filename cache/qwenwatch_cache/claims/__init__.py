"""Published figures to be checked: what a claim is, and how a file of them is read."""
