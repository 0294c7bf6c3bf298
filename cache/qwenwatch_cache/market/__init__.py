"""Market questions: pure functions from frames to frames of a declared schema."""
