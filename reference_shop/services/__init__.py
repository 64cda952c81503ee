"""What shoppers can do: each use case opens the transactions that it needs. Called by `web`, calls `repository`."""
