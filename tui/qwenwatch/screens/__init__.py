"""The screens, each with its layout and its keys."""
