"""The reference stack: a supervisor starts database, payment provider, shop workers and edge, and keeps them running.

`client` starts and stops a supervisor (`python -m reference_shop.stack`), which reads its `settings` from stdin, makes
the state `folder`, opens all `doors`, and brings the parts up in the order of `stack`: `shop_part` (on a
`database_part`) and `edge_part`, or the edge alone before somebody's own origin. Each process is kept alive as a
`service`, unless one of the `holds` keeps it away. `description` tells the world about all of it in stack.json
(`document`). What a killed supervisor left behind is taken away by `leftovers`.
"""
