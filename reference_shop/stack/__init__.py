"""The reference stack: a supervisor starts database, payment provider, shop workers and edge, and keeps them running.

`client` starts and stops a supervisor (`python -m reference_shop.stack`), which reads its `settings` from stdin, makes
the state `folder`, brings the processes up in the order of `stack`, keeps each one alive as a `service`, and tells the
world about them in stack.json (`document`). What a killed supervisor left behind is taken away by `leftovers`.
"""
