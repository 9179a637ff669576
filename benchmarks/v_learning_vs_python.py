"""V-learning episodes per second against a plain Python version of the same algorithm.

The Python version keeps dictionaries and NumPy rows as one would write it from the paper
(`tests/reference/markov.py`), but with running sums in place of whole lists of losses. Both
play the same episodes from the same seed, which is checked first.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from harness import Claim, alternate, parse, report

sys.path.insert(0, str(Path(__file__).parent.parent))

from arena.rng import derive
from games.markov.generators import garnet
from solvers.markov.run import Problem
from solvers.markov.v_learning import VLearning
from tests.reference.markov import SlowVLearning

BAR = 100.0


class Running(SlowVLearning):
    """The reference with the losses of a state added up as they come."""

    def episode(self) -> list[int]:
        """Play one episode; O(A) a step."""
        form, horizon = self.form, self.horizon
        s = self.stream.index(form.initial.tolist())
        seen = []
        for h in range(horizon):
            if form.terminal[s]:
                break
            seen.append(s)
            mixed = [self.policy(i, h, s) for i in range(form.seats)]
            joint = tuple(self.stream.index(p.tolist()) for p in mixed)
            number = form.number(joint)
            states, chances = form.after(s, number)
            to = int(states[self.stream.index(chances.tolist())])
            self.visits[h, s] = t = self.visits.get((h, s), 0) + 1
            alpha = (horizon + 1) / (horizon + t)
            fade = (horizon + 1) / (horizon + t - 1) * (1 - alpha) / alpha if t > 1 else 0.0
            left = self.left(h)
            for i in range(form.seats):
                ahead = 0.0
                if h + 1 < horizon:
                    known = self.value.get((i, h + 1, to), self.left(h + 1))
                    ahead = min(form.discount * known, max(left - 1.0, 0.0))
                gain = (float(form.reward[i, s, number]) - self.low) / self.span + ahead
                extra = math.sqrt(self.bonus * form.actions[i] / t)
                old = self.value.get((i, h, s), left)
                self.value[i, h, s] = (1 - alpha) * old + alpha * (gain + extra)
                size = form.actions[i]
                rate = math.sqrt(horizon * math.log(max(size, 2)) / (size * t))
                sums = self.losses.setdefault((i, h, s), [np.zeros(size)])
                sums[0] *= fade
                sums[0][joint[i]] += (left - gain) / left / (mixed[i][joint[i]] + rate)
                played = np.exp(-rate * (sums[0] - sums[0].min()))
                self.policies[i, h, s] = played / played.sum()
            s = to
        return seen


def main() -> None:
    """Check, time, report."""
    options = parse(__doc__)
    form = garnet(states=20, actions=4, branching=3).with_end(horizon=5)
    few, many = (100, 20_000) if options.quick else (400, 100_000)
    fast = VLearning(Problem(form, "", 0, few, {}), bonus=0.1)
    slow = Running(form, bonus=fast._bonus, seed=derive(0, "v_learning"))
    fast.advance(few)
    walked = [slow.episode() for _ in range(few)]
    if walked != fast.answer().states.tolist():
        raise SystemExit("the two sides play different episodes")
    ours = VLearning(Problem(form, "", 1, many, {}), bonus=0.1)

    def play() -> None:
        ours.iteration = 0
        ours.advance(many)

    measured = alternate(play, lambda: [slow.episode() for _ in range(few)])
    ratios = [r * many / few for r in measured.ratios]
    rate = many / float(np.median(measured.ours))
    peer = few / float(np.median(measured.peer))
    spread = f"{min(ratios):.0f} to {max(ratios):.0f}"
    note = f"{rate:.3g} episodes a CPU second against {peer:.3g}; {spread}"
    claim = Claim("v-learning-vs-python", float(np.median(ratios)), BAR, note=note)
    rows = [["arena", rate], ["plain Python", peer]]
    report([claim], table=rows, header=("side", "episodes/s"), path=options.json)


if __name__ == "__main__":
    main()
