"""What a seat believes of the hidden state: particles that follow its episode.

Each particle is a state in which chance is exposed. From one decision of the seat to the
next,

1. particles are drawn with replacement from those of the last decision (at first: the
   beginning of the game);
2. the seat does what it did, chance is drawn, the others follow the blueprint, until the
   seat is to move again;
3. a particle stays if the seat's infoset key is the one that the seat has now (rejection);
   this goes on until there are `count`, or `tries` were made.

So particles are draws from the posterior given the blueprint. If none stays, a state is
taken from `Observation.resample`, where the game offers it, which ignores what the others'
moves say; that is counted.

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

__all__ = ["Belief", "Choose", "Particles", "play_out"]

Choose = Callable[[Observation, Stream], int]
"""How a seat follows the blueprint: draws an action."""


@dataclass(frozen=True, eq=False)
class Belief:
    """States that the seat cannot tell from the real one, each as likely as the others.

    Attributes:
        states: may repeat, not to be changed, length M.
        source: `particles`, or `resampled` if no particle explains what the seat has seen.
        distinct: how many different states were drawn.
        tries: simulations that this took.
    """

    states: Sequence[State]
    source: str
    distinct: int
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

    def first(self, observation: Observation, stream: Stream) -> Belief:
        """Return the belief at the seat's first decision."""
        return self._filter(observation, [self._root], None, stream)

    def after(self, before: Belief, action: int, observation: Observation, stream: Stream) -> Belief:
        """Return the belief at the decision that follows on `action`."""
        return self._filter(observation, before.states, action, stream)

    def _filter(
        self, seen: Observation, sources: Sequence[State], action: int | None, stream: Stream
    ) -> Belief:
        key, kept = seen.key, []
        tries = 0
        while tries < self._tries and len(kept) < self._count:
            state = sources[stream.below(len(sources))].clone()
            tries += 1
            if self._follow(state, action, stream) and state.observe(self._seat).key == key:
                kept.append(state)
        if kept:
            return Belief(kept, "particles", len(kept), tries)
        return Belief(_resampled(seen, self._count, stream), "resampled", self._count, tries)

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
    state.step(
        {s: given[s] if s in given else choose[s](state.observe(s), stream) for s in actors}
    )


def play_out(
    state: State, seat: int, action: int, choose: Sequence[Choose], stream: Stream
) -> float:
    """Play `action` of `seat` in a copy of `state`, then the blueprint; return its payoff."""
    twin = state.clone()
    step(twin, twin.actors(), choose, stream, {seat: action})
    while actors := twin.actors():
        step(twin, actors, choose, stream, {})
    return float(twin.returns()[seat])


def _resampled(seen: Observation, count: int, stream: Stream) -> list[State]:
    resample: Callable[[int], State] | None = getattr(seen, "resample", None)
    if resample is None:
        return []
    try:
        return [resample(stream.below(1 << 30)) for _ in range(count)]
    except FormError:
        return []
