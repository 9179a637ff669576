"""`evaluate`: certify any policy, however it is given, on a game's compiled tree.

A policy that is no table is asked once at every infoset, with the observation of a history
that leads there: the table of its answers is what is certified. That describes policies
whose answer depends on the observation alone; a bot that remembers earlier moves in other
ways is judged by what it answers out of the blue.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import AgentError, ArenaError, NotApplicableError, ParameterError
from arena.game import Game, Observation, State
from arena.policy import Policy, TabularPolicy
from arena.registry import load_target
from arena.rng import derive
from arena.solver import Gap, Solution
from arena.types import CHANCE, Discrete
from games.markov import markov_of
from games.tree import DEFAULT_BUDGET, Budget, Tree, tree_of
from solvers.certificates import certify
from solvers.markov.policy import MarkovPolicy, load_policy

__all__ = ["behaviour_of", "evaluate"]

Reals = NDArray[np.float64]
Answer = Callable[[State, Observation], NDArray[Any]]


def evaluate(
    game: Game,
    policy: Any,
    *,
    seed: int = 0,
    cache: bool = True,
    budget: Budget = DEFAULT_BUDGET,
    **markov: Any,
) -> dict[str, Gap]:
    """Return how far a policy is from an equilibrium of `game`.

    A policy of the form `markov` is certified on that form (`solvers.markov.certificates`),
    any other one on the game's tree (`certify`).

    Args:
        game: any game whose tree fits the budget, or with the form `markov`.
        policy: a `TabularPolicy`, a `Solution`, any `Policy`, an agent with `policy` (or a
            deterministic one), an OpenSpiel `Policy`, a name or file of one of them, or a
            sequence of these, one a seat.
        seed: of agents.
        cache: whether compiled trees may be read from and written to the disk.
        budget: how large a tree may get.
        markov: for policies of that form only: `deviations` (`markov` or `history`),
            `horizon`, `discount`.

    Raises:
        ParameterError: an infoset without probabilities, or what it has is no distribution.
        NotApplicableError: the game's tree is too large, or the policy cannot be asked.
    """
    if "markov" in game.forms and (isinstance(policy, str) or not isinstance(policy, Sequence)):
        policy = _opened(policy)
    if "markov" in game.forms and isinstance(policy, MarkovPolicy):
        return _on_markov(game, policy, **markov)
    if markov:
        raise ParameterError(
            next(iter(markov)), next(iter(markov.values())), "nothing: this is no Markov policy"
        )
    tree = tree_of(game, budget=budget, cache=cache)
    return certify(tree, behaviour_of(tree, game, policy, seed=seed))


def _on_markov(
    game: Game,
    policy: MarkovPolicy,
    *,
    deviations: Any = "history",
    horizon: int | None = None,
    discount: float | None = None,
) -> dict[str, Gap]:
    from solvers.markov.certificates import certify as certify_markov

    form = markov_of(game, horizon=horizon, discount=discount)
    return certify_markov(form, policy, deviations=deviations)


def behaviour_of(tree: Tree, game: Game, policy: Any, *, seed: int = 0) -> Reals:
    """Return any policy as probabilities by sequence, shape (Q,).

    Raises:
        ParameterError, NotApplicableError: as in `evaluate`.
    """
    if isinstance(policy, Sequence) and not isinstance(policy, str):
        if len(policy) != tree.seats:
            raise ParameterError("policy", f"{len(policy)} policies", f"one, or {tree.seats}")
        each = [_opened(one) for one in policy]
    else:
        each = [_opened(policy)] * tree.seats
    out = np.ones(tree.n_sequences)
    for seat, one in enumerate(each):
        if isinstance(one, TabularPolicy):
            if one.game != tree.game:
                raise ParameterError("policy", f"one for {one.game}", f"one for {tree.game}")
            tree.read_table(one, seat, out)
        else:
            _ask(tree, game, seat, one, seed=seed, out=out)
    return tree.checked(out)


def _opened(policy: Any) -> Any:
    """Turn names, files and solutions into policies or agents."""
    if isinstance(policy, Solution):
        return _opened(policy.policy)
    if isinstance(policy, Path) or (isinstance(policy, str) and policy.endswith(".npz")):
        try:
            with np.load(policy, allow_pickle=False) as data:
                solved = "trace" in data.files
                named = {"keys", "trace"} & set(data.files)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise ParameterError("policy", str(policy), "a saved policy or solution") from error
        if not named:
            return load_policy(policy)
        return Solution.load(policy).policy if solved else TabularPolicy.load(policy)
    if isinstance(policy, str):
        return load_target("agents.load:load")(policy)
    return policy


def _ask(tree: Tree, game: Game, seat: int, policy: Any, *, seed: int, out: Reals) -> None:
    """Fill the seat's part of `out`, (Q,), in place, from answers at every infoset."""
    answer = _answer(game, seat, policy, seed)
    low, high = int(tree.seat_infoset[seat]), int(tree.seat_infoset[seat + 1])
    for infoset, state in _visit(tree, game, range(low, high)):
        observation = state.observe(seat)
        if observation.key != tree.keys[infoset]:
            raise ArenaError(
                f"{tree.game}: infoset {tree.keys[infoset]!r} now calls itself"
                f" {observation.key!r}; the compiled tree is stale"
            )
        given = np.asarray(answer(state, observation), dtype=np.float64)
        actions = tree.infoset_actions(infoset)
        if given.ndim != 1 or len(given) <= actions[-1] or not abs(given.sum() - 1.0) < 1e-6:
            raise ParameterError(
                f"policy at infoset {tree.keys[infoset]!r} of seat {seat}",
                given.tolist(),
                "probabilities of all actions that sum to one",
            )
        first = int(tree.info_first[infoset])
        out[first : first + len(actions)] = given[actions]


def _answer(game: Game, seat: int, policy: Any, seed: int) -> Answer:
    """Return how to ask a policy of any kind for probabilities, shape (A,)."""
    space = game.actions[seat]
    width = space.n if isinstance(space, Discrete) else 0

    def one_hot(action: Any) -> Reals:
        out = np.zeros(width)
        out[int(action)] = 1.0
        return out

    if hasattr(policy, "action_probabilities"):

        def from_openspiel(state: State, observation: Observation) -> Reals:
            raw = getattr(state, "raw", None)
            if raw is None:
                raise NotApplicableError(
                    f"an OpenSpiel policy can be asked on OpenSpiel games only, not on {game.key}"
                )
            given = _openspiel_row(policy, raw, seat)
            out = np.zeros(width)
            for action, probability in given.items():
                out[action] = probability
            return out

        return from_openspiel
    if isinstance(policy, Policy):
        return lambda state, observation: policy.probabilities(observation)
    if callable(getattr(policy, "begin", None)):
        policy.begin(game, seat, derive(seed, "evaluate", seat))
        if callable(getattr(policy, "policy", None)):
            return lambda state, observation: policy.policy(observation)
        if getattr(policy, "stochastic", True) is False:
            return lambda state, observation: one_hot(policy.act(observation))
        raise AgentError(
            f"{type(policy).__name__} cannot be certified: it has no method `policy` that gives"
            " its probabilities, and does not promise to be deterministic (stochastic = False)"
        )
    raise ParameterError(
        "policy",
        policy,
        "a TabularPolicy, a Solution, a Policy, an agent, an OpenSpiel policy, or one of them"
        " for each seat",
    )


def _openspiel_row(policy: Any, raw: Any, seat: int) -> Mapping[int, float]:
    """Return {action: probability} from an OpenSpiel policy written in Python or in C++."""
    row: Mapping[int, float]
    if not type(policy).__module__.startswith("pyspiel"):
        row = policy.action_probabilities(raw, seat)
    elif raw.is_simultaneous_node():
        # Policies in C++ take a seat only through its infoset.
        row = policy.action_probabilities(raw.information_state_string(seat))
    else:
        row = policy.action_probabilities(raw)
    return row


def _visit(tree: Tree, game: Game, infosets: range) -> Iterator[tuple[int, State]]:
    """Yield each infoset with a state in it; the states live until the next is asked for."""
    goal = {int(tree.representative[i]): i for i in infosets}
    wanted = set(goal)
    for node in goal:
        parent = int(tree.parent[node])
        while parent >= 0 and parent not in wanted:
            wanted.add(parent)
            parent = int(tree.parent[parent])
    # Entries hold the node, the last real state, and the moves of a joint action so far.
    stack: list[tuple[int, State, dict[int, int]]] = [(0, game.root(), {})]
    while stack:
        node, state, joint = stack.pop()
        if node in goal:
            yield goal[node], state
        seat = int(tree.seat[node])
        first, count = int(tree.first_child[node]), int(tree.n_children[node])
        for child in reversed(range(first, first + count)):
            if child not in wanted:
                continue
            moves = {**joint, seat: int(tree.action[child])}
            actors = (CHANCE,) if seat == CHANCE else state.actors()
            if len(moves) < len(actors):
                stack.append((child, state, moves))
            else:
                after = state.clone()
                after.step(moves)
                stack.append((child, after, {}))
