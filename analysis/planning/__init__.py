"""From what one run measured to a shop of any size: workers, traffic, database, generators, money.

`measured` takes from a recording what the rest needs, `network` is the queueing model, `sizing` finds the workers,
`money` prices them, `shop_plan` puts all of it together, and `assumptions` says what it rests on.
"""
