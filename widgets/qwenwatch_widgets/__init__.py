"""What is shown: views (ready text) and the Textual widgets that show them."""
