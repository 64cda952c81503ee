"""The door for plain `locust`: the shoppers of `scenarios/`, measured and recorded by `loadgen/`."""

from scenarios.door import Shoppers

__all__ = ["Shoppers"]
