"""Where the shop's state lives outside of it: PostgreSQL, and the payment provider. Called by the services."""
