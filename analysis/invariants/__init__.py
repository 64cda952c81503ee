"""What must hold between what shoppers were told, the shop's books and its payment provider's; one file an invariant.

Each is a pure function from `Evidence` to a `Finding`, and says in its docstring what it cannot see.
"""
