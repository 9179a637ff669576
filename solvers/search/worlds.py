"""What a seat believes of the hidden state: particles that follow its episode.

Each particle is a state in which chance is exposed. From one decision of the seat to the
next,

1. particles are drawn with replacement from those of the last decision (at first: the
   beginning of the game);
2. the seat does what it did, chance is drawn, the others follow the blueprint, until the
   seat is to move again;
3. a particle stays if the seat's infoset key is the one that the seat has now (rejection);
   this goes on until there are `count`, or `tries` were made.

So particles are draws from the posterior given the blueprint.

Source: Silver and Veness 2010, "Monte-Carlo planning in large POMDPs", NeurIPS, section 3.2
(unweighted particle filter by rejection).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.errors import FormError
from arena.game import Game, Observation, State
from arena.rng import Stream
from arena.types import CHANCE

__all__ = ["Belief", "Choose", "Particles", "play_out", "resampled", "step"]

Choose = Callable[[Observation, Stream], int]
"""How a seat follows the blueprint: draws an action."""


@dataclass(frozen=True, eq=False)
class Belief:
    """States that the seat cannot tell from the real one, each as likely as the others.

    Attributes:
        states: not to be changed, length M; none if nothing explains what the seat has seen.
        tries: simulations that this took.
    """

    states: Sequence[State]
    tries: int


class Particles:
    """Beliefs of one seat, decision by decision.

    Args:
        game: whose observations have keys, and whose chance can be enumerated.
        seat: whose belief.
        choose: the blueprint of each seat.
        count: particles wanted.
        tries: simulations at most, for one decision.
    """

    def __init__(
        self, game: Game, seat: int, choose: Sequence[Choose], *, count: int, tries: int
    ) -> None:
        self._root, self._seat, self._choose = game.root(), seat, choose
        self._count, self._tries = count, tries

    def first(self, key: str, stream: Stream) -> Belief:
        """Return the belief at the seat's first decision, whose infoset key is `key`."""
        return self._filter(key, [self._root], None, stream)

    def after(self, before: Belief, action: int, key: str, stream: Stream) -> Belief:
        """Return the belief at the decision `key` that follows on `action`."""
        return self._filter(key, before.states, action, stream)

    def anywhere(self, key: str, stream: Stream) -> Belief:
        """Return the belief at `key` where it is not known how the seat came there.

        Its own moves are drawn uniformly until the key comes up: in every history of an
        infoset they are the same, so that they favour none.
        """
        kept: list[State] = []
        tries = 0
        while tries < self._tries and len(kept) < self._count:
            state = self._root.clone()
            tries += 1
            seen = self._follow(state, None, stream)
            while seen and state.observe(self._seat).key != key:
                legal = state.legal(self._seat)
                seen = legal is not None and self._follow(state, stream.choice(legal), stream)
            if seen:
                kept.append(state)
        return Belief(kept, tries)

    def _filter(
        self, key: str, sources: Sequence[State], action: int | None, stream: Stream
    ) -> Belief:
        kept: list[State] = []
        tries = 0
        while sources and tries < self._tries and len(kept) < self._count:
            state = sources[stream.below(len(sources))].clone()
            tries += 1
            if self._follow(state, action, stream) and state.observe(self._seat).key == key:
                kept.append(state)
        return Belief(kept, tries)

    def _follow(self, state: State, action: int | None, stream: Stream) -> bool:
        """Play on to the seat's next decision; return whether there is one."""
        seat = self._seat
        while actors := state.actors():
            if seat in actors and action is None:
                return True
            step(state, actors, self._choose, stream, {} if action is None else {seat: action})
            action = None if seat in actors else action
        return False


def step(
    state: State,
    actors: Sequence[int],
    choose: Sequence[Choose],
    stream: Stream,
    given: dict[int, int],
) -> None:
    """Make one step: chance is drawn, seats in `given` do that, the others follow `choose`."""
    if actors[0] == CHANCE:
        outcomes: Sequence[tuple[int, float]] = state.chance_outcomes()  # type: ignore[attr-defined] # exposed
        drawn = stream.index([p for _, p in outcomes])
        state.step({CHANCE: outcomes[drawn][0]})
        return
    state.step({s: given[s] if s in given else choose[s](state.observe(s), stream) for s in actors})


def play_out(
    state: State, seat: int, action: int, choose: Sequence[Choose], stream: Stream
) -> float:
    """Play `action` of `seat` in a copy of `state`, then the blueprint; return its payoff."""
    twin = state.clone()
    step(twin, twin.actors(), choose, stream, {seat: action})
    while actors := twin.actors():
        step(twin, actors, choose, stream, {})
    return float(twin.returns()[seat])


def resampled(seen: Observation, count: int, stream: Stream) -> list[State]:
    """Draw states by `Observation.resample`, none where the game does not offer it.

    They agree with what the seat has seen, but the others' moves are not taken as evidence.
    """
    resample: Callable[[int], State] | None = getattr(seen, "resample", None)
    if resample is None:
        return []
    try:
        return [resample(stream.below(1 << 30)) for _ in range(count)]
    except FormError:
        return []
