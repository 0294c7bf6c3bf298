"""The data: feeds, store and market questions. Knows nothing of a screen."""
