"""Normal forms: Nash equilibria and logit branches against quantecon, nashpy and Gambit.

Equality comes first: the same value of the zero-sum game, the same Lemke–Howson
equilibrium, the same set of equilibria, the same quantal response equilibrium. quantecon's
game objects are built outside the clock.
"""

from __future__ import annotations

import numpy as np
from harness import Claim, alternate, parse, report

from games.normal_form import NormalForm
from solvers.matrix.certificates import certify_qre
from solvers.matrix.qre import logit_branch
from solvers.matrix.two_seats import (
    lemke_howson,
    support_enumeration,
    vertex_enumeration,
    zero_sum,
)


def repeat(work, times):
    def run():
        for _ in range(times):
            work()

    return run


def against_quantecon(sizes, rows):
    try:
        import quantecon.game_theory as peer
        from quantecon.optimize.minmax import minmax
    except ImportError:
        return [Claim("normal-form-vs-quantecon", None, 1.0, note="pip install quantecon")]
    worst = []
    for size, times in sizes:
        a, b = np.random.default_rng(size).random((2, size, size))
        game = peer.NormalFormGame((peer.Player(a), peer.Player(np.ascontiguousarray(b.T))))
        x, y = zero_sum(a)
        assert abs(x @ a @ y - minmax(a)[0]) < 1e-9
        np.testing.assert_allclose(lemke_howson(a, b)[0], peer.lemke_howson(game)[0], atol=1e-7)
        jobs = [
            ("zero-sum", lambda a=a: zero_sum(a), lambda a=a: minmax(a), times),
            (
                "Lemke–Howson",
                lambda a=a, b=b: lemke_howson(a, b),
                lambda g=game: peer.lemke_howson(g),
                times,
            ),
        ]
        if size == 10:
            ours = sorted(tuple(np.round(np.concatenate(p), 6)) for p in vertex_enumeration(a, b))
            theirs = peer.vertex_enumeration(game)
            assert ours == sorted(tuple(np.round(np.concatenate(p), 6)) for p in theirs)
            jobs += [
                (
                    "supports, all",
                    lambda a=a, b=b: support_enumeration(a, b),
                    lambda g=game: peer.support_enumeration(g),
                    1,
                ),
                (
                    "vertices, all",
                    lambda a=a, b=b: vertex_enumeration(a, b),
                    lambda g=game: peer.vertex_enumeration(g),
                    5,
                ),
            ]
        for name, mine, other, count in jobs:
            found = alternate(repeat(mine, count), repeat(other, count), rounds=7)
            worst.append(found.ratio)
            rows.append((name, f"{size}×{size}", "quantecon", _ms(found.ours, count), found.ratio))
    return [Claim("normal-form-vs-quantecon", min(worst), 1.0, note="the least of all rows")]


def completeness(rows):
    """Which share of the equilibria on ten random 6×6 games each library lists."""
    try:
        import nashpy
    except ImportError:
        return
    import warnings

    ours = theirs = 0
    for seed in range(10):
        a, b = np.random.default_rng(seed).random((2, 6, 6))
        ours += len(support_enumeration(a, b)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs += len(list(nashpy.Game(a, b).support_enumeration()))
    rows.append(("supports listed", "10 of 6×6", "nashpy", float(ours), ours / max(theirs, 1)))


def against_gambit(quick, rows):
    try:
        import pygambit
    except ImportError:
        return [Claim("logit-branch-vs-gambit", None, 5.0, note="pip install pygambit")]
    out = []
    size = 50 if quick else 100
    a, b = np.random.default_rng(0).random((2, size, size))
    form = NormalForm(np.array([a, b]))
    game = pygambit.StrategicGame.from_arrays(a, b)
    precision = 100.0
    branch = logit_branch(form, precision=precision)
    peer = pygambit.qre.logit_solve_lambda(game, [precision])[0].profile
    expected = np.array([p for mix in peer for _, p in mix])
    residual = certify_qre(form, branch.profile(), temperature=1.0 / precision)
    off = float(np.abs(branch.profiles[-1] - expected).max())
    assert off < 1e-5, off
    found = alternate(
        lambda: logit_branch(form, precision=precision),
        lambda: pygambit.qre.logit_solve_lambda(game, [precision]),
        rounds=5,
    )
    rows.append(
        (f"logit to λ = {precision:g}", f"{size}×{size}", "Gambit", _ms(found.ours, 1), found.ratio)
    )
    out.append(
        Claim("logit-branch-vs-gambit", found.ratio, 5.0, note=f"profiles differ by {off:.1g}")
    )
    value = residual["qre_residual"].value
    out.append(Claim("logit-residual", value, 1e-13, higher_is_better=False))
    return out


def _ms(seconds, count):
    return 1e3 * sorted(seconds)[len(seconds) // 2] / count


def main():
    options = parse(__doc__)
    sizes = [(3, 300), (10, 300), (20, 100), (50, 30)]
    if not options.quick:
        sizes.append((100, 10))
    rows = []
    claims = against_quantecon(sizes, rows)
    completeness(rows)
    claims += against_gambit(options.quick, rows)
    header = ("job", "size", "peer", "ours, ms (or count)", "ratio")
    report(claims, table=rows, header=header, path=options.json)


if __name__ == "__main__":
    main()
