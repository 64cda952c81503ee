"""Jinja2 templates of the edges' configurations, one per profile; what begins with `_` is a concern that they share."""
