"""Nobody gets more of a flash sale than each may have."""

from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook


def check(evidence: Evidence) -> Finding:
    """No customer of a flash sale holds, ordered and bought more units than its limit.

    A limit that is read before it is used up is a write skew of ACIDRain (Warszawski and Bailis, SIGMOD 2017): two
    requests at once each find room.

    It cannot see one person behind several carts and accounts, nor units that were held beyond the limit and released.
    """
    notes = Notebook("customer_limits", "customer")
    limits = {sale.sale_id: sale.limit_per_customer for sale in evidence.truth.sales}
    for customer in evidence.truth.customers:
        limit, name = limits.get(customer.sale_id), f"{customer.customer} in sale {customer.sale_id}"
        if limit is None:
            notes.open(name, "of a flash sale that the books do not name")
        elif customer.units > limit:
            notes.violated(name, "with more of a flash sale than each may have")
    return notes.finding(len(evidence.truth.customers), none_is_right=bool(limits))
