"""Mean value analysis of a closed network, exactly: an oracle for the open model, which knows nothing of it.

M. Reiser and S. S. Lavenberg, Mean-value analysis of closed multichain queueing networks, Journal of the ACM 27 (1980);
for stations of several servers with the marginal probabilities of fewer customers than servers.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Solved:
    throughput: float
    response_s: float
    station_s: tuple[float, ...]


def exact_mva(stations: Sequence[tuple[int, float]], think_s: float, users: int) -> Solved:
    """Stations are (servers, seconds of service a visit), each visited once a turn."""
    queues = [0.0] * len(stations)
    # idle[k][j]: the probability that j customers are at station k, for j below its servers
    idle = [[1.0] + [0.0] * (servers - 1) for servers, _ in stations]
    for population in range(1, users + 1):
        times = [
            service_s / servers * (1 + queue + sum((servers - 1 - j) * share for j, share in enumerate(shares)))
            for (servers, service_s), queue, shares in zip(stations, queues, idle, strict=True)
        ]
        throughput = population / (think_s + sum(times))
        queues = [throughput * time_s for time_s in times]
        for (servers, service_s), shares in zip(stations, idle, strict=True):
            before = list(shares)
            for j in range(1, servers):
                shares[j] = service_s / j * throughput * before[j - 1]
            busy = throughput * service_s
            shares[0] = 1 - (busy + sum((servers - j) * shares[j] for j in range(1, servers))) / servers
    return Solved(throughput, sum(times), tuple(times))
