"""The purger: a program that follows the shop's ledger, and has caches forget the pages of products that changed.

ledger ──► Seen, Echoes (follow.py) ──► Station ──► Station ──► …   (one per cache, origin side first)
                                           │           │
                                         Door        Door           (door.py, over connection.py)
"""
