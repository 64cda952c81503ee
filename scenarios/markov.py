"""Closed forms of a transition table: what a mix must give on average, before any shopper has moved.

Pure arithmetic on probabilities; the mixes' tests and docs/mixes.md stand on it. A chain maps a state to its
successors' probabilities; what a row lacks to 1, and every successor that has no row of its own, is the way out. Source
of the formulas: Kemeny and Snell, Finite Markov Chains (1960), chapters III (absorbing) and IV (regular chains)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

Chain = Mapping[str, Mapping[str, float]]


def solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solution x of matrix · x = right (n × n, n), by Gauss's elimination with partial pivoting; ValueError if
    singular.
    """
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda index: abs(rows[index][column]))
        if abs(rows[pivot][column]) < 1e-14:
            raise ValueError(
                "The chain has no unique solution: some states never lead out, or do not reach each other."
            )
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for other in range(size):
            if other != column:
                _subtract(rows[other], rows[column], column)
    return [rows[index][size] / rows[index][index] for index in range(size)]


def _subtract(row: list[float], pivot_row: list[float], column: int) -> None:
    factor = row[column] / pivot_row[column]
    if factor:
        for index in range(column, len(row)):
            row[index] -= factor * pivot_row[index]


def stationary(chain: Chain) -> dict[str, float]:
    """Long-run share of each state of a chain without a way out; the shares add up to 1."""
    states = list(chain)
    balance = [[chain[source].get(state, 0.0) - (source == state) for source in states] for state in states]
    balance[-1] = [1.0] * len(states)  # one balance equation follows from the others; this one fixes the sum
    shares = solve(balance, [0.0] * (len(states) - 1) + [1.0])
    return dict(zip(states, shares, strict=True))


def expected_visits(chain: Chain, start: Mapping[str, float]) -> dict[str, float]:
    """Mean number of visits to each state until the way out is taken, from the given distribution of first states."""
    states = list(chain)
    balance = [[float(source == state) - chain[source].get(state, 0.0) for source in states] for state in states]
    visits = solve(balance, [start.get(state, 0.0) for state in states])
    return dict(zip(states, visits, strict=True))


def reach_ratio(chain: Chain, start: Mapping[str, float], targets: Collection[str]) -> float:
    """Probability (0..1) of visiting any of the targets before the way out, from the given distribution of first
    states.
    """
    states = [state for state in chain if state not in targets]
    balance = [[float(state == after) - chain[state].get(after, 0.0) for after in states] for state in states]
    direct = [sum(chain[state].get(target, 0.0) for target in targets) for state in states]
    reached = dict(zip(states, solve(balance, direct), strict=True)) | dict.fromkeys(targets, 1.0)
    return sum(share * reached[state] for state, share in start.items())
