"""What must never happen between shoppers and a cache: one shopper's page in another's hands, or a page spoilt for all.

`visitor_secret` looks at what shoppers get anyway; the other four checks are probes, sent beside the shoppers by
`rounds`. A probe asks (`asking`, over the wire in `wire`), and tells a Witness what came of it.
"""
