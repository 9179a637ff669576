"""`evaluate`: certify any policy, however it is given, on a game's compiled tree.

A policy that is no table is asked once at every infoset, with the observation of a history
that leads there: the table of its answers is what is certified. That describes policies
whose answer depends on the observation alone; a bot that remembers earlier moves in other
ways is judged by what it answers out of the blue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.errors import (
    AgentError,
    ArenaError,
    NotApplicableError,
    ParameterError,
    UnknownNameError,
)
from arena.game import Game, Observation, State
from arena.policy import Mediator, Policy, TabularPolicy, TensorPolicy, is_torch_module
from arena.registry import load_target
from arena.rng import derive
from arena.solver import Gap, Solution, load_policy, saved_settings
from arena.types import CHANCE, Discrete
from games.markov import markov_of
from games.tree import DEFAULT_BUDGET, Budget, Tree, tree_of
from solvers.certificates import certify
from solvers.markov.policy import MarkovPolicy
from solvers.matrix.form import JointPolicy, normal_form_of
from solvers.tree.mediators import CorrelationPlan, JointPlay

__all__ = ["behaviour_of", "evaluate", "opened_all"]

Reals = NDArray[np.float64]
Answer = Callable[[State, Observation], NDArray[Any]]


def evaluate(
    game: Game,
    policy: Any,
    *,
    seed: int = 0,
    cache: bool = True,
    budget: Budget = DEFAULT_BUDGET,
    samples: int | None = None,
    approximate: bool = False,
    **search: Any,
) -> dict[str, Gap]:
    """Return how far a policy is from an equilibrium of `game`.

    A policy of the form `markov` is certified on that form (`solvers.markov.certificates`),
    any other one on the game's tree (`certify`).

    Args:
        game: any game whose tree fits the budget, one with the form `markov`, or any game at
            all with `approximate`.
        policy: a `TabularPolicy`, a `Solution`, a `Mediator` (a correlated answer), any
            `Policy`, a torch module from
            observation tensor to probabilities, an agent with `policy` (or a deterministic
            one), an OpenSpiel `Policy`, a name or file of one of them, or a sequence of
            these, one a seat.
        seed: of agents, and of everything that is sampled.
        cache: whether compiled trees may be read from and written to the disk.
        budget: how large a tree may get.
        samples: how often an agent that does not tell its probabilities is asked at every
            infoset, begun anew each time; what is certified is the table of frequencies.
        approximate: give lower bounds by learned best responses instead of exact values.
        search: with `approximate`, the options of `solvers.approximate.lower_bound`; of a
            policy of the form `markov`, `deviations` (`markov` or `history`), `horizon` and
            `discount`; without these two, those that a solution was found for, else the game's.

    Raises:
        ParameterError: an infoset without probabilities, or what it has is no distribution.
        NotApplicableError: the game's tree is too large, or the policy cannot be asked.
        UnknownNameError: no option of that name.
    """
    if approximate:
        from solvers.approximate import lower_bound

        return lower_bound(game, opened_all(policy, game.seats), seed=seed, **search)
    if isinstance(policy, str) or not isinstance(policy, Sequence):
        length = _length(policy)
        policy = _opened(policy)
        if isinstance(policy, MarkovPolicy):
            given = "horizon" in search or "discount" in search
            return _on_markov(game, policy, search if given else {**length, **search})
    for name in search:
        raise UnknownNameError(
            "option of an exact evaluation",
            name,
            ("seed", "cache", "budget", "samples", "approximate"),
            hint="it goes with approximate=True",
        )
    if isinstance(policy, str | Path) or not isinstance(policy, Sequence):
        policy = _opened(policy)
    mediator = _mediator(policy)
    if mediator is not None:
        if mediator.kind not in _MEDIATORS:
            raise NotApplicableError(f"a mediator of kind {mediator.kind} cannot be certified")
        return dict(_MEDIATORS[mediator.kind](game, mediator, budget, cache))
    if samples is not None and not (isinstance(samples, int) and samples >= 1):
        raise ParameterError("samples", samples, "a whole number, 1 or more, or None")
    tree = tree_of(game, budget=budget, cache=cache)
    return certify(tree, behaviour_of(tree, game, policy, seed=seed, samples=samples))


def _length(policy: Any) -> dict[str, Any]:
    """Return the horizon or discount that a solution, or the file of one, was found for."""
    settings: Mapping[str, Any] = {}
    if isinstance(policy, Solution):
        settings = policy.settings
    elif isinstance(policy, Path) or (isinstance(policy, str) and policy.endswith(".npz")):
        settings = saved_settings(policy)
    if settings.get("horizon") is not None:
        return {"horizon": settings["horizon"]}
    return {"discount": settings["discount"]} if settings.get("discount") is not None else {}


def _on_markov(game: Game, policy: MarkovPolicy, options: Mapping[str, Any]) -> dict[str, Gap]:
    from solvers.markov.certificates import certify as certify_markov

    known = ("deviations", "horizon", "discount")
    for name in options:
        if name not in known:
            raise UnknownNameError("option of an evaluation", name, known)
    if policy.game not in ("", game.key):
        raise ParameterError("policy", f"one for {policy.game}", f"one for {game.key}")
    form = markov_of(game, horizon=options.get("horizon"), discount=options.get("discount"))
    return certify_markov(form, policy, deviations=options.get("deviations", "history"))


def _mediator(policy: Any) -> Mediator | None:
    """Return the mediator that a policy is, or that an agent plays."""
    found = getattr(policy, "mediator", policy)
    return found if isinstance(found, Mediator) else None


def _joint(game: Game, joint: JointPolicy, budget: Budget, cache: bool) -> dict[str, Gap]:
    from solvers.matrix.certificates import certify_joint as certify_distribution

    _same_game(joint, game)
    return certify_distribution(normal_form_of(game), joint.joint)


def _joint_play(game: Game, joint: JointPlay, budget: Budget, cache: bool) -> dict[str, Gap]:
    from solvers.tree.correlated_coarse import certify_joint as certify_play

    _same_game(joint, game)
    tree = tree_of(game, budget=budget, cache=cache)
    joint.outline.check(tree)
    return certify_play(tree, joint, recommended=True)


def _plan(game: Game, plan: CorrelationPlan, budget: Budget, cache: bool) -> dict[str, Gap]:
    from solvers.tree.correlation import certify_plan

    _same_game(plan, game)
    tree = tree_of(game, budget=budget, cache=cache)
    plan.outline.check(tree)
    return certify_plan(tree, plan)


_MEDIATORS: Mapping[str, Callable[[Game, Any, Budget, bool], dict[str, Gap]]] = {
    "correlation_plan": _plan,
    "joint": _joint,
    "joint_play": _joint_play,
}
"""How mediators are certified, by their kind: on the tree or on the normal form."""


def _same_game(policy: Mediator, game: Game) -> None:
    if policy.game != game.key:
        raise ParameterError("policy", f"one for {policy.game}", f"one for {game.key}")


def behaviour_of(
    tree: Tree, game: Game, policy: Any, *, seed: int = 0, samples: int | None = None
) -> Reals:
    """Return any policy as probabilities by sequence, shape (Q,).

    Raises:
        ParameterError, NotApplicableError: as in `evaluate`.
    """
    each = opened_all(policy, tree.seats)
    out = np.ones(tree.n_sequences)
    for seat, one in enumerate(each):
        if isinstance(one, TabularPolicy):
            if one.game != tree.game:
                raise ParameterError("policy", f"one for {one.game}", f"one for {tree.game}")
            tree.read_table(one, seat, out)
        else:
            _ask(tree, game, seat, one, seed=seed, samples=samples, out=out)
    return tree.checked(out)


def opened_all(policy: Any, seats: int) -> list[Any]:
    """Return what plays each seat, names, files and solutions opened.

    Args:
        policy: one for all seats, or a sequence with one a seat.
        seats: n.

    Raises:
        ParameterError: not as many policies as seats, or a file that holds none.
    """
    if isinstance(policy, Sequence) and not isinstance(policy, str):
        if len(policy) != seats:
            raise ParameterError("policy", f"{len(policy)} policies", f"one, or {seats}")
        return [_opened(one) for one in policy]
    return [_opened(policy)] * seats


def _opened(policy: Any) -> Any:
    """Turn names, files, solutions, modules, functions and bots into policies or agents."""
    if isinstance(policy, Solution):
        return _opened(policy.policy)
    file = isinstance(policy, str) and policy.endswith((".npz", ".safetensors"))
    if isinstance(policy, Path) or file:
        return load_policy(policy)
    if isinstance(policy, str):
        return load_target("agents.load:load")(policy)
    if is_torch_module(policy):
        return TensorPolicy(policy)
    known = hasattr(policy, "action_probabilities") or hasattr(policy, "begin")
    if not known and not isinstance(policy, Policy) and _plays(policy):
        return load_target("agents.load:as_agent")(policy)
    return policy


def _plays(thing: Any) -> bool:
    """Whether a thing is a function of observations or an OpenSpiel bot."""
    bot = all(callable(getattr(thing, m, None)) for m in ("step", "restart_at"))
    return bot or (callable(thing) and not isinstance(thing, type))


def _ask(
    tree: Tree,
    game: Game,
    seat: int,
    policy: Any,
    *,
    seed: int,
    samples: int | None,
    out: Reals,
) -> None:
    """Fill the seat's part of `out`, (Q,), in place, from answers at every infoset."""
    answer = _answer(game, seat, policy, seed, samples)
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


def _answer(game: Game, seat: int, policy: Any, seed: int, samples: int | None) -> Answer:
    """Return how to ask a policy of any kind for probabilities, shape (A,)."""
    space = game.actions[seat]
    width = space.n if isinstance(space, Discrete) else 0

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
        sure = getattr(policy, "stochastic", True) is False
        if not sure and samples is None:
            raise AgentError(
                f"{getattr(policy, 'name', '') or type(policy).__name__} cannot be certified: it"
                " has no method `policy` that gives its probabilities, and does not promise to"
                " be deterministic (stochastic = False); samples=N asks it N times at every"
                " infoset and certifies the frequencies"
            )
        times = 1 if sure or samples is None else samples

        def counted(state: State, observation: Observation) -> Reals:
            out = np.zeros(width)
            for i in range(times):
                # Begun anew, so that what it remembers of other infosets plays no part.
                policy.begin(game, seat, derive(seed, "evaluate", seat, str(observation.key), i))
                action = int(policy.act(observation))
                if not 0 <= action < width:
                    raise ParameterError(
                        f"action at infoset {observation.key!r}", action, f"0 … {width - 1}"
                    )
                out[action] += 1.0
            return out / times

        return counted
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
