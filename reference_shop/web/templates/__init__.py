"""Jinja2 templates of the pages; compiled when a worker starts."""
