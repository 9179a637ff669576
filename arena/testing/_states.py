"""Close-ups of a state: everything that can be asked of it, asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from arena.errors import FormError, IllegalActionError
from arena.game import Clock, Game, Observation, Snapshot, State
from arena.rng import derive
from arena.testing._common import Check, Drawer, fingerprint, observed, same
from arena.types import CHANCE, Action, Discrete, Floats

__all__ = ["CloseUp"]

_MANY_OUTCOMES = 10_000
_CLONE_STEPS = 30


class CloseUp:
    """Looks at states of one game and remembers what must stay the same between them."""

    def __init__(self, check: Check, game: Game) -> None:
        self._check = check
        self._game = game
        self._tensor_shape: dict[int, tuple[int, ...] | None] = {}
        self._by_key: dict[tuple[int, str], tuple[tuple[int, ...] | None, Any]] = {}

    # -- what every step shows --------------------------------------------------------

    def actors(self, state: State, *, root: bool = False) -> tuple[int, ...]:
        """Check and return the seats to move."""
        check, n = self._check, self._game.seats
        actors = state.actors()
        if root and tuple(actors) == (CHANCE,):
            return (CHANCE,)
        check(
            isinstance(actors, tuple) and all(type(a) is int and 0 <= a < n for a in actors),
            f"actors() to be a tuple of seats below {n}",
            actors,
        )
        check(list(actors) == sorted(set(actors)), "actors() in increasing order", actors)
        if self._game.turns == "sequential":
            check(len(actors) <= 1, "one actor at a time in a sequential game", actors)
        return actors

    def vector(self, name: str, value: Any) -> Floats:
        """Check and return rewards or returns, shape (n,)."""
        shape = (self._game.seats,)
        self._check(
            isinstance(value, np.ndarray)
            and value.shape == shape
            and value.dtype.kind == "f"
            and bool(np.isfinite(value).all()),
            f"{name} to be finite floats of shape {shape}",
            value,
        )
        found: Floats = np.array(value, dtype=np.float64)
        return found

    # -- the close-up -----------------------------------------------------------------

    def look(self, state: State, seed: int) -> None:
        """Ask everything; the state is left as it was."""
        check = self._check
        actors = self.actors(state)
        for seat in range(self._game.seats):
            self._observation(state, seat, acting=seat in actors)
        rendered = check.run("render() to work", state.render)
        check(isinstance(rendered, str) and rendered, "render() to be text", rendered)
        for name in ("returns", "rewards"):
            before = self.vector(f"{name}()", getattr(state, name)())
            getattr(state, name)()[:] = 1e9
            check(
                same(before, getattr(state, name)()),
                f"{name}() to give an array of the caller's own",
                getattr(state, name)(),
            )
        self._history(state, seed)
        self._clone(state, seed)
        self._refusals(state, actors, seed)
        if actors:
            self._resample(state, actors[0], seed)

    def _observation(self, state: State, seat: int, *, acting: bool) -> None:
        check, game = self._check, self._game
        seen: Observation = check.run(
            f"observe({seat}) to work for any seat", lambda: state.observe(seat)
        )
        facts = check.run("an observation's fields to be readable", lambda: observed(seen))
        check(seen.seat == seat, f"observation.seat to be {seat}", seen.seat)
        check(isinstance(seen.view, str), "observation.view to be text", seen.view)
        check(
            seen.key is None or isinstance(seen.key, str), "observation.key: text or None", seen.key
        )
        clock = seen.clock
        check(clock is None or isinstance(clock, Clock), "observation.clock: Clock or None", clock)
        self._actions(state, seat, seen, acting=acting)
        self._tensor(seat, seen.tensor)
        check(
            same(facts, observed(state.observe(seat))),
            "two looks to see the same",
            f"first {facts}, then {observed(state.observe(seat))}"[:600],
        )
        if acting and seen.key is not None:
            actions = None if seen.actions is None else tuple(seen.actions)
            known = self._by_key.setdefault((seat, seen.key), (actions, facts["tensor"]))
            check(
                known[0] == actions,
                f"one set of legal actions at the infoset {seen.key!r}",
                f"{known[0]} and {actions}",
            )
            check(
                same(known[1], facts["tensor"]),
                f"one tensor at the infoset {seen.key!r}",
                "two that differ",
            )
        self._snapshot(state, seat, facts)
        if acting and isinstance(game.actions[seat], Discrete):
            for action in list(seen.actions or ())[:5]:
                name = check.run("action names", partial(game.describe_action, seat, action))
                check(isinstance(name, str) and name, "action names to be text", name)

    def _actions(self, state: State, seat: int, seen: Observation, *, acting: bool) -> None:
        check = self._check
        space = self._game.actions[seat]
        actions, mask = seen.actions, seen.legal
        if not isinstance(space, Discrete):
            check(
                actions is None and mask is None,
                "no list of legal actions where they are not discrete",
                (actions, mask),
            )
            if acting:
                check(state.legal(seat) is None, "legal() to be None", state.legal(seat))
            return
        if actions is None or mask is None:
            check.fail("legal actions of a discrete seat", (actions, mask))
            return
        listed = list(actions)
        check(
            all(isinstance(a, int | np.integer) and not isinstance(a, bool) for a in listed),
            "legal actions to be integers",
            listed,
        )
        check(listed == sorted(set(listed)), "legal actions in increasing order", listed)
        check(
            not listed or 0 <= listed[0] <= listed[-1] < space.n,
            f"legal actions below {space.n}",
            listed,
        )
        check(
            isinstance(mask, np.ndarray) and mask.shape == (space.n,) and mask.dtype == np.bool_,
            f"a mask of bools, shape ({space.n},)",
            mask,
        )
        check(
            np.flatnonzero(mask).tolist() == listed,
            f"the mask to mark the legal actions {listed}",
            np.flatnonzero(mask).tolist(),
        )
        if acting:
            check(listed, "a seat to move to have a legal action", listed)
            legal = state.legal(seat)
            check(
                legal is not None and list(legal) == listed,
                f"legal() to list the observation's actions {listed}",
                legal,
            )

    def _tensor(self, seat: int, tensor: Floats | None) -> None:
        check = self._check
        if tensor is not None:
            check(
                isinstance(tensor, np.ndarray) and tensor.ndim == 1 and tensor.dtype == np.float32,
                "a tensor of float32, shape (D,)",
                (getattr(tensor, "dtype", type(tensor)), getattr(tensor, "shape", None)),
            )
            check(np.isfinite(tensor).all(), "a finite tensor", tensor)
        shape = None if tensor is None else tensor.shape
        known = self._tensor_shape.setdefault(seat, shape)
        check(known == shape, f"every tensor of seat {seat} to have shape {known}", shape)

    def _snapshot(self, state: State, seat: int, facts: Mapping[str, Any]) -> None:
        """A snapshot shows what it showed after the state has moved on."""
        twin = state.clone()
        kept = self._check.run("Snapshot.of to work", lambda: Snapshot.of(twin.observe(seat)))
        if twin.actors():
            Drawer(self._game, 1).step(twin)
        self._check(
            same(facts, observed(kept)),
            "a snapshot to outlive its state",
            f"{facts} became {observed(kept)}"[:600],
        )

    def _history(self, state: State, seed: int) -> None:
        history = getattr(state, "history", None)
        if history is None:
            return
        check = self._check
        before = list(history())
        check(all(isinstance(a, int | np.integer) for a in before), "a history of numbers", before)
        if state.actors():
            twin = state.clone()
            joint = Drawer(self._game, seed).step(twin)
            after = list(twin.history())  # type: ignore[attr-defined] # the original has it
            check(
                after[: len(before)] == before and len(after) >= len(before) + len(joint),
                "the history to grow by what happened",
                f"{before} became {after} by {joint}"[:600],
            )
            chosen = [joint[s] for s in sorted(joint)]
            check(
                after[len(before) : len(before) + len(chosen)] == chosen,
                f"the history to go on with {chosen}",
                after[len(before) :],
            )

    def _clone(self, state: State, seed: int) -> None:
        """Clones go the same way, and none disturbs another."""
        check, game = self._check, self._game
        before = fingerprint(game, state)
        one, other = state.clone(), state.clone()
        check(
            same(before, fingerprint(game, one)),
            "a clone to be like its original",
            _first_difference(before, fingerprint(game, one)),
        )
        drawer = Drawer(game, seed)
        joints = []
        for _ in range(_CLONE_STEPS):
            if not one.actors():
                break
            joints.append(drawer.step(one))
        check(
            same(before, fingerprint(game, state)),
            "a clone's moves to leave the original alone",
            _first_difference(before, fingerprint(game, state)),
        )
        for joint in joints:
            check.run("a clone to allow the same actions", partial(other.step, joint))
        check(
            same(fingerprint(game, one), fingerprint(game, other)),
            "clones to draw the same chance and go the same way",
            _first_difference(fingerprint(game, one), fingerprint(game, other)),
        )

    def _refusals(self, state: State, actors: tuple[int, ...], seed: int) -> None:
        """Whatever is not legal is refused, and nothing changes."""
        game = self._game
        if not actors:
            self._refused(state, {0: 0}, "a move after the end")
            return
        drawer = Drawer(game, seed)
        good = drawer.joint(state)
        seat = actors[0]
        self._refused(state, {}, "a step without actions")
        self._refused(state, {**good, game.seats: 0}, "an action of a seat that does not exist")
        idle = [s for s in range(game.seats) if s not in actors]
        if idle:
            self._refused(state, {**good, idle[0]: 0}, "an action of a seat not to move")
        if len(actors) > 1:
            self._refused(state, {seat: good[seat]}, "a joint action with seats missing")
        for each in {actors[0], actors[-1]}:
            legal = set(state.legal(each) or ())
            space = game.actions[each]
            if not isinstance(space, Discrete):
                continue
            wrong: list[Any] = [space.n, -1, None, "0", 0.5, True]
            wrong += [a for a in range(min(space.n, 1000)) if a not in legal][:2]
            for action in wrong:
                self._refused(state, {**good, each: action}, f"the illegal action {action!r}")

    def _refused(self, state: State, joint: Mapping[int, Action], what: str) -> None:
        check, game = self._check, self._game
        before = fingerprint(game, state)
        try:
            state.step(joint)
        except IllegalActionError:
            pass
        except Exception as error:
            check.fail(f"{what} to raise IllegalActionError", repr(error))
        else:
            check.fail(f"{what} to be refused", "it was accepted")
        check(
            same(before, fingerprint(game, state)),
            f"{what} to leave the state unchanged",
            _first_difference(before, fingerprint(game, state)),
        )

    def _resample(self, state: State, seat: int, seed: int) -> None:
        """A resampled state looks the same to the seat that asked."""
        resample = getattr(state, "resample", None)
        if resample is None:
            return
        check = self._check
        before = fingerprint(self._game, state)
        for draw in range(2):
            try:
                other = resample(seat, derive(seed, draw))
            except FormError:
                return
            check(
                same(observed(state.observe(seat)), observed(other.observe(seat))),
                f"resample to give a state that seat {seat} cannot tell apart",
                _first_difference(observed(state.observe(seat)), observed(other.observe(seat))),
            )
        check(
            same(before, fingerprint(self._game, state)),
            "resample to leave the state unchanged",
            _first_difference(before, fingerprint(self._game, state)),
        )

    # -- chance -----------------------------------------------------------------------

    def chance(self, state: State) -> None:
        """Check an exposed chance node."""
        check = self._check
        listed = getattr(state, "chance_outcomes", None)
        if listed is None:
            check.fail("chance_outcomes() where chance is exposed", "no such method")
            return
        outcomes = list(listed())
        check(outcomes, "a chance node to have outcomes", outcomes)
        numbers = [outcome for outcome, _ in outcomes]
        check(len(set(numbers)) == len(numbers), "chance outcomes to differ", numbers[:50])
        probabilities = np.array([p for _, p in outcomes], dtype=np.float64)
        check(
            (probabilities >= 0).all() and abs(probabilities.sum() - 1.0) <= 1e-9,
            "chance outcomes with probabilities that add to 1",
            f"{outcomes[:20]}, sum {probabilities.sum()!r}",
        )
        if len(numbers) < _MANY_OUTCOMES:
            self._refused(state, {CHANCE: max(numbers) + 1}, "an outcome that chance does not have")
        self._refused(state, {0: numbers[0]}, "a seat's move at a chance node")
        for outcome in numbers[:5]:
            twin = state.clone()
            check.run(
                f"the chance outcome {outcome} to be possible",
                partial(twin.step, {CHANCE: outcome}),
            )


def _first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    for key in one:
        if key not in other or not same(one[key], other[key]):
            return f"{key}: {one[key]!r} became {other.get(key)!r}"[:600]
    return f"also {sorted(set(other) - set(one))}"
