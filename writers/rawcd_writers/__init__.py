"""The built-in writers: each file is one destination."""
