"""Style sheet, script and drawings; served under names that carry a digest of their content."""
