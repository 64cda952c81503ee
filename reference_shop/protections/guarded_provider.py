"""Puts the protections of payments around a provider."""

from collections.abc import Collection

from reference_shop import metrics
from reference_shop.domain.payments import PaymentProvider
from reference_shop.protections.circuit_breaker import CircuitBreaker
from reference_shop.protections.payment_retries import PaymentRetries
from reference_shop.protections.payment_timeout import PaymentTimeout

# From the inside out: each attempt has its own time limit, and the breaker counts only what retries did not mend.
_LAYERS = (
    ("payment-timeout", PaymentTimeout),
    ("payment-retries", PaymentRetries),
    ("circuit-breaker", CircuitBreaker),
)


def guard_provider(provider: PaymentProvider, names: Collection[str]) -> PaymentProvider:
    """Return the provider with those of its protections around it that `names` holds; other names are ignored."""
    for name, wrap in _LAYERS:
        if name in names:
            provider = wrap(provider)
    if isinstance(provider, CircuitBreaker):
        breaker = provider
        metrics.follow_breaker(lambda: breaker.state)
    return provider
