"""The payment provider: a program of its own that talks to nobody but its journal; charges once per idempotency key."""
