"""How the shop defends itself, one file per protection; each is wrapped around a seam and can be left out by name."""

PROTECTIONS = {
    "payment-timeout": "a payment provider that does not answer is given up after 2 s",
    "payment-retries": "questions that the provider left open are asked again, with jitter and within a budget",
    "circuit-breaker": "a provider that fails again and again is left alone for a while, and nobody waits for it",
    "checkout-bulkhead": "checkout has places of its own, so that slow payments leave the others to the catalogue",
    "load-shedding": "more requests than can be served in time are refused at once, checkout last",
    "waiting-room": "a flash sale lets shoppers in at a rate that checkout can serve, in the order in which they came",
    "catalogue-cache": "catalogue pages are made from what was read in the last second; one reader per product",
    "graceful-drain": "a worker that is stopped finishes what it has begun",
}
