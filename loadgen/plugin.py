"""The door for Locust: import this in a locustfile, or name this file before one: `locust -f plugin.py,yours.py`.

Locust loads a file by its path, under another name than an import has; both lead to the same listeners.
"""

from loadgen.listeners import install

install()
