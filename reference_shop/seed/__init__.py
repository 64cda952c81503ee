"""Fills the shop once, before it opens: schema, catalogue and pictures. The same seed gives the same shop."""
