"""The guarded minimum-cost flow and its node prices, against a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from scheduler.domain.city import Floats, Ints
from scheduler.solve.flow import COST_SCALE, ArcList, Network, potentials, solve


def _random_network(seed: int) -> Network:
    """Return blocks, sites and a sink, with a dear arc from each block to the sink."""
    rng = np.random.default_rng(seed)
    blocks, sites = int(rng.integers(1, 8)), int(rng.integers(1, 5))
    arcs = ArcList()
    sink = blocks + sites
    block, site = np.divmod(np.arange(blocks * sites), sites)
    people = rng.integers(0, 9, blocks)
    walk = rng.uniform(0, 5, len(block)).round(2)
    arcs.add(block, blocks + site, people[block], walk)
    room = rng.integers(0, 12, sites)
    arcs.add(blocks + np.arange(sites), np.full(sites, sink), room, np.full(sites, 0.25))
    arcs.add(np.arange(blocks), np.full(blocks, sink), people, np.full(blocks, 100.0))
    return arcs.network(np.r_[people, np.zeros(sites, dtype=np.int64), -people.sum()])


def _least_cost(network: Network) -> float:
    count = len(network.tail)
    column = np.arange(count)
    balance = np.zeros((len(network.supply), count))
    np.add.at(balance, (network.tail, column), 1.0)
    np.add.at(balance, (network.head, column), -1.0)
    bounds = [(0.0, float(most)) for most in network.capacity]
    found = linprog(
        network.cost.astype(float), A_eq=balance, b_eq=network.supply.astype(float), bounds=bounds
    )
    assert found.x is not None
    return float(network.cost @ found.x)


@pytest.mark.parametrize("seed", range(12))
def test_flow_is_cheapest(seed: int) -> None:
    """The flow keeps balances and capacities, and costs what the linear program costs."""
    network = _random_network(seed)
    flow = solve(network)
    out = np.bincount(network.tail, weights=flow, minlength=len(network.supply))
    into = np.bincount(network.head, weights=flow, minlength=len(network.supply))
    assert (out - into == network.supply).all()
    assert ((flow >= 0) & (flow <= network.capacity)).all()
    assert float(flow @ network.cost) == pytest.approx(_least_cost(network), abs=1e-3)


@pytest.mark.parametrize("seed", range(12))
def test_prices_prove_the_flow(seed: int) -> None:
    """No arc with room has a negative reduced cost, no arc in use a positive one."""
    network = _random_network(seed)
    flow = solve(network)
    price = potentials(network, flow)
    reduced: Floats = network.cost / COST_SCALE + price[network.tail] - price[network.head]
    assert (reduced[flow < network.capacity] >= -1e-9).all()
    assert (reduced[flow > 0] <= 1e-9).all()


def test_prices_without_residual_arcs_are_zero() -> None:
    """A zone without people leaves a network in which nothing can flow: all prices are 0."""
    none = np.zeros(1, dtype=np.int64)
    network = Network(none, none + 1, none, none + 5, np.zeros(2, dtype=np.int64))
    assert potentials(network, none).tolist() == [0.0, 0.0]


def _one(value: int) -> Ints:
    return np.array([value])


def test_a_dear_cost_is_kept_to_a_ten_thousandth() -> None:
    """Costs are person-minutes in, whole units inside, broadcast over an arc family."""
    arcs = ArcList()
    first = arcs.add(np.arange(2), _one(2), _one(9), np.array([0.12345]))
    second = arcs.add(np.arange(3), _one(3), _one(1), np.array([1.0, 2.0, 100_000.0]))
    network = arcs.network(np.zeros(4, dtype=np.int64))
    assert (first, second) == (slice(0, 2), slice(2, 5))
    assert network.cost.tolist() == [1234, 1234, 10_000, 20_000, 1_000_000_000]
    assert network.capacity.tolist() == [9, 9, 1, 1, 1]


def _line(supply: list[int], capacity: int, cost: int) -> Network:
    column = np.array([0], dtype=np.int64)
    return Network(column, column + 1, column + capacity, column + cost, np.array(supply))


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (_line([5, -4], 9, 1), "balanced"),
        (_line([5, -5], 4, 1), "optimal"),
        (_line([5, -5], 9, 2**61), "64 bits"),
    ],
)
def test_a_network_the_solver_cannot_take_is_refused(network: Network, words: str) -> None:
    """Unbalanced, infeasible and too dear networks raise: the solver itself would crash."""
    with pytest.raises(RuntimeError, match=words):
        solve(network)
