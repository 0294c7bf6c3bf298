"""Views: frozen structs of text that is ready to show, free of Textual and Polars types."""
