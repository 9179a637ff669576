"""Greatest-welfare CE and CCE against the whole program by HiGHS, and against OpenSpiel.

HiGHS gets its sparse matrix built outside the clock, and for each game the faster of its
simplex and interior-point methods. OpenSpiel's solvers build theirs inside, as arena's do;
they run once a row, and not at all for CE of 100×100, where they have no answer within
three minutes. Equal welfare is checked first; gaps are certified by code that neither side
shares.
"""

from __future__ import annotations

import time

import numpy as np
from harness import Claim, alternate, parse, report
from scipy.optimize import linprog
from scipy.sparse import csr_array

from games.normal_form import NormalForm
from solvers.matrix._gains import Gains
from solvers.matrix.certificates import certify_joint
from solvers.matrix.correlated import correlated_equilibrium


def whole_program(form, coarse):
    gains = Gains(form, coarse=coarse)
    rows, values = gains.columns(np.arange(gains.size))
    column = np.broadcast_to(np.arange(gains.size)[:, None], rows.shape)
    body = csr_array(
        (values.ravel(), (rows.ravel(), column.ravel())), shape=(gains.rows, gains.size)
    )
    body.eliminate_zeros()
    body = body[np.diff(body.indptr) > 0]
    price = -form.payoffs.sum(axis=0).ravel()

    def run(method, limit=None):
        start = time.process_time()
        found = linprog(
            price,
            A_ub=body,
            b_ub=np.zeros(body.shape[0]),
            A_eq=np.ones((1, gains.size)),
            b_eq=[1.0],
            method=method,
            options={} if limit is None else {"time_limit": limit},
        )
        return found, time.process_time() - start

    # A method that takes thrice as long as the other is stopped: it is not the faster one.
    simplex, seconds = run("highs-ds")
    interior, other = run("highs-ipm", limit=max(1.0, 3.0 * seconds))
    faster = "highs-ipm" if interior.status == 0 and other < seconds else "highs-ds"
    return (lambda: run(faster)), simplex


def openspiel():
    try:
        import ecos  # noqa: F401 - OpenSpiel's solvers ask cvxpy for it by name
        from open_spiel.python.algorithms import jpsro
    except ImportError:
        return None
    return jpsro


def main():
    options = parse(__doc__)
    shapes = [(10, 10, 10), (30, 30)] if options.quick else [(10, 10, 10), (20, 20, 20), (100, 100)]
    rounds = 3  # of each seed
    jpsro = openspiel()
    table, against_highs, against_openspiel, gaps = [], [], [], []
    for shape in shapes:
        for coarse in (True, False):
            kind = "cce" if coarse else "ce"
            highs, spiel = [], []
            for seed in range(2 if options.quick else 3):
                payoffs = np.random.default_rng(seed).random((len(shape), *shape))
                form = NormalForm(payoffs)
                welfare = payoffs.sum(axis=0)

                def ours(form=form, coarse=coarse):
                    return correlated_equilibrium(form, coarse=coarse)

                direct, peer = whole_program(form, coarse)
                sigma = ours()
                assert abs(float((welfare * sigma).sum()) + peer.fun) < 1e-5
                gaps.append(certify_joint(form, sigma)[f"{kind}_gap"].value)
                highs.append(alternate(ours, direct, rounds=rounds, warm_up=0))
                if jpsro is not None and seed == 0 and (coarse or sum(shape) < 150):
                    solve = jpsro._mwcce if coarse else jpsro._mwce
                    repeats = [np.ones(a) for a in shape]

                    def other(solve=solve, payoffs=payoffs, repeats=repeats):
                        return solve(payoffs, repeats)[0]

                    spiel.append(alternate(ours, other, rounds=1, warm_up=0))
            ratios = [r for one in highs for r in one.ratios]
            against_highs.append(float(np.median(ratios)))
            theirs = spiel[0].ratio if spiel else float("nan")
            if spiel:
                against_openspiel.append(theirs)
            seconds = float(np.median([s for one in highs for s in one.ours]))
            table.append(
                (
                    kind,
                    "×".join(map(str, shape)),
                    1e3 * seconds,
                    against_highs[-1],
                    f"{min(ratios):.3g}–{max(ratios):.3g}",
                    theirs,
                    max(gaps),
                )
            )
    claims = [
        Claim("ce-cce-vs-highs", min(against_highs), 1.0, note="the least median of all rows"),
        Claim(
            "ce-cce-vs-openspiel",
            min(against_openspiel) if against_openspiel else None,
            4.0,
            note="" if against_openspiel else "pip install open_spiel cvxpy ecos matplotlib",
        ),
        Claim("ce-cce-gap", max(gaps), 1e-8, higher_is_better=False),
    ]
    header = ("kind", "game", "ours, ms", "HiGHS/ours", "spread", "OpenSpiel/ours", "greatest gap")
    report(claims, table=table, header=header, path=options.json)


if __name__ == "__main__":
    main()
