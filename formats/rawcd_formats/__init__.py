"""The built-in formats: each module is one format."""
