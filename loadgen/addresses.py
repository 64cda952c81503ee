"""Source addresses for shoppers on a loopback target, so that an edge sees many clients and not one."""

import hashlib
import ipaddress

NETWORK = ipaddress.IPv4Network("127.64.0.0/10")  # answers on Linux like all of 127.0.0.0/8, and collides with nothing
_DRAWS = 1 << 64


def source_address(number: int, seed: int, shoppers_per_address: float) -> str:
    """The address of session `number`; consecutive shoppers share one (a household, an office, a carrier's NAT).

    How many share an address is geometrically distributed with the mean `shoppers_per_address` (at least 1).
    """
    first = number
    while first > 0 and not _opens_address(first, seed, 1 / shoppers_per_address):
        first -= 1
    return str(NETWORK[1 + first % (NETWORK.num_addresses - 2)])


def _opens_address(number: int, seed: int, chance: float) -> bool:
    digest = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < chance * _DRAWS
