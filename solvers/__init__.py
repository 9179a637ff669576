"""Solvers: a form of a game in, a certified policy out."""

from __future__ import annotations

from arena.registry import Entry

__all__ = ["ALIASES", "FAMILIES", "TABLE"]

_TREE = {"form": "tree"}
_TWO_SEAT_TREE = {"form": "tree", "seats": "2"}
_ZERO_SUM_TREE = {"form": "tree", "seats": "2", "payoff": "zero_sum"}
_MATRIX = {"form": "normal_form"}
_TWO_SEATS = {"form": "normal_form", "seats": "2"}
_ZERO_SUM_MATRIX = {"form": "normal_form", "seats": "2", "payoff": "zero_sum"}

_BANDIT = {"form": "bandit", "seats": "1"}
_MARKOV = {"form": "markov"}
_ZERO_SUM_MARKOV = {"form": "markov", "seats": "2", "payoff": "zero_sum"}

TABLE: dict[str, Entry] = {
    "agent_qre": Entry(
        "solvers.tree.agent_qre:agent_qre", "logit equilibrium of infosets at a temperature", _TREE
    ),
    "auto": Entry("solvers.tree.auto:auto", "what suits the game, or the best of a race", _TREE),
    "bandit_exact": Entry("solvers.bandits.run:exact", "small bandits, exactly", _BANDIT),
    "bandit_greedy": Entry("solvers.bandits.run:greedy", "next step, arm by arm", _BANDIT),
    "bandit_myopic": Entry("solvers.bandits.run:myopic", "the best next step", _BANDIT),
    "cce": Entry("solvers.markov.by_form:cce", "coarse correlated equilibrium", _MATRIX),
    "ce": Entry("solvers.markov.by_form:ce", "correlated equilibrium", _MATRIX),
    "cfr": Entry("solvers.tree.cfr:cfr", "counterfactual regret minimisation", _TREE),
    "cfr+": Entry("solvers.tree.cfr:cfr_plus", "CFR, floored, linear averaging", _TREE),
    "dcfr": Entry("solvers.tree.cfr:dcfr", "discounted CFR", _TREE),
    "efcce": Entry(
        "solvers.tree.correlated:efcce", "extensive-form coarse correlated, by LP", _TWO_SEAT_TREE
    ),
    "efce": Entry(
        "solvers.tree.correlated:efce", "extensive-form correlated, by LP", _TWO_SEAT_TREE
    ),
    "fictitious_play": Entry(
        "solvers.matrix.regret:fictitious_play", "best responses to mean play", _MATRIX
    ),
    "fluid": Entry("solvers.bandits.run:fluid", "long-run priorities by LP", _BANDIT),
    "gambit_nash": Entry("solvers.matrix.gambit:gambit_nash", "Gambit's Nash solvers", _MATRIX),
    "hs_dcfr": Entry("solvers.tree.cfr:hs_dcfr", "discounted CFR on a schedule", _TREE),
    "hs_pcfr+": Entry("solvers.tree.cfr:hs_pcfr_plus", "predictive CFR+ on a schedule", _TREE),
    "hoffman_karp": Entry(
        "solvers.markov.shapley:hoffman_karp", "policy iteration, discounted", _ZERO_SUM_MARKOV
    ),
    "independent_hedge": Entry(
        "solvers.markov.independent:independent", "everyone for itself, no regret", _MARKOV
    ),
    "iql": Entry(
        "solvers.qmix:iql",
        "independent Q-learning, one network for the team",
        {"form": "batch", "kind": "learner"},
    ),
    "joint_cfr": Entry(
        "solvers.tree.correlated_coarse:joint_cfr", "CCE of a tree, CFR's joint play", _TREE
    ),
    "joint_efcce": Entry(
        "solvers.tree.correlated_coarse:joint_efcce", "EFCCE of a tree, by regret", _TREE
    ),
    "joint_efce": Entry(
        "solvers.tree.correlated_coarse:joint_efce", "EFCE of a tree, by regret", _TREE
    ),
    "lagrangian": Entry(
        "solvers.bandits.run:lagrangian", "priced arms, exact joint action, a bound", _BANDIT
    ),
    "lcfr": Entry("solvers.tree.cfr:lcfr", "linear CFR", _TREE),
    "lemke_howson": Entry(
        "solvers.matrix.nash:lemke_howson", "one Nash equilibrium, by pivoting", _TWO_SEATS
    ),
    "logit_qre": Entry(
        "solvers.matrix.qre:logit_qre", "the principal branch of logit equilibria", _MATRIX
    ),
    "matrix_egpo": Entry(
        "solvers.mirror:egpo", "extragradient preference optimization", _ZERO_SUM_MATRIX
    ),
    "matrix_exrm+": Entry(
        "solvers.matrix.regret:exrm_plus", "extragradient regret matching+", _ZERO_SUM_MATRIX
    ),
    "matrix_inpo": Entry(
        "solvers.mirror:inpo", "iterative Nash policy optimization", _ZERO_SUM_MATRIX
    ),
    "matrix_mmd": Entry("solvers.mirror:mmd", "magnetic mirror descent", _ZERO_SUM_MATRIX),
    "matrix_nash_md": Entry("solvers.mirror:nash_md", "Nash mirror descent", _ZERO_SUM_MATRIX),
    "matrix_nash_mp": Entry("solvers.mirror:nash_mp", "Nash mirror prox", _ZERO_SUM_MATRIX),
    "matrix_nash_refresh": Entry(
        "solvers.mirror:nash_refresh", "mirror prox, moving magnet: Nash", _ZERO_SUM_MATRIX
    ),
    "matrix_omd": Entry("solvers.mirror:omd", "optimistic online mirror descent", _ZERO_SUM_MATRIX),
    "matrix_prm+": Entry("solvers.matrix.regret:prm_plus", "predictive regret matching+", _MATRIX),
    "matrix_rm": Entry("solvers.matrix.regret:rm", "regret matching", _MATRIX),
    "matrix_rm+": Entry("solvers.matrix.regret:rm_plus", "regret matching+", _MATRIX),
    "matrix_spo": Entry(
        "solvers.mirror:spo", "self-play preference optimization", _ZERO_SUM_MATRIX
    ),
    "matrix_sprm+": Entry(
        "solvers.matrix.regret:sprm_plus", "smooth predictive regret matching+", _ZERO_SUM_MATRIX
    ),
    "lsvi": Entry("solvers.markov.lsvi:lsvi", "optimistic CCE, linear in given features", _MARKOV),
    "mccfr_external": Entry(
        "solvers.tree.mccfr:mccfr_external", "CFR, chance and others sampled", _TREE
    ),
    "mccfr_outcome": Entry(
        "solvers.tree.mccfr:mccfr_outcome", "CFR, whole episodes sampled", _TREE
    ),
    "mex": Entry(
        "solvers.markov.mex:mex", "maximise to explore, over given models", _ZERO_SUM_MARKOV
    ),
    "mmd": Entry(
        "solvers.tree.mmd:mmd", "mirror descent to the QRE at a temperature", _ZERO_SUM_TREE
    ),
    "mmd_nash": Entry(
        "solvers.tree.mmd_nash:mmd_nash", "mirror descent with a moving magnet", _ZERO_SUM_TREE
    ),
    "nash_lp": Entry(
        "solvers.matrix.nash:nash_lp", "exact, by linear programming", _ZERO_SUM_MATRIX
    ),
    "nfcce": Entry(
        "solvers.tree.correlated:nfcce", "coarse correlated, optimal by LP", _TWO_SEAT_TREE
    ),
    "no_regret_cce": Entry(
        "solvers.matrix.regret:no_regret_cce", "CCE by play without external regret", _MATRIX
    ),
    "no_regret_ce": Entry(
        "solvers.matrix.regret:no_regret_ce", "CE by play without swap regret", _MATRIX
    ),
    "optimistic_nash_vi": Entry(
        "solvers.markov.optimistic:optimistic_nash_vi", "unknown model, zero sum", _ZERO_SUM_MARKOV
    ),
    "pcfr+": Entry("solvers.tree.cfr:pcfr_plus", "predictive CFR+", _TREE),
    "pdcfr+": Entry("solvers.tree.cfr:pdcfr_plus", "predictive discounted CFR+", _TREE),
    "ppo": Entry(
        "solvers.ppo:ppo",
        "proximal policy optimisation in self-play (IPPO, MAPPO, other-play)",
        {"form": "batch", "kind": "learner"},
    ),
    "qarl": Entry(
        "solvers.qarl:qarl",
        "robust control by curricula of bounded rationality (SAC, RARL, QARL, …)",
        {"form": "control", "seats": "2", "payoff": "zero_sum", "kind": "learner"},
    ),
    "qmix": Entry(
        "solvers.qmix:qmix",
        "team values by a monotone mixing network",
        {"form": "batch", "kind": "learner"},
    ),
    "recovering_whittle": Entry(
        "solvers.bandits.run:recovering_whittle", "indices of recovering arms", _BANDIT
    ),
    "replicator": Entry(
        "solvers.matrix.regret:replicator", "projected replicator dynamics", _MATRIX
    ),
    "sequoia": Entry(
        "solvers.sequoia.learner:sequoia",
        "deep Q-learning, its arg-max a mixed-integer program (bandits)",
        {**_BANDIT, "kind": "learner"},
    ),
    "shapley": Entry(
        "solvers.markov.shapley:shapley", "value iteration, exact stages", _ZERO_SUM_MARKOV
    ),
    "sequence_form_lp": Entry(
        "solvers.tree.sequence_form:sequence_form_lp", "exact, by HiGHS", _ZERO_SUM_TREE
    ),
    "soft_shapley": Entry(
        "solvers.markov.soft:soft_shapley", "quantal response curriculum", _ZERO_SUM_MARKOV
    ),
    "sparse_cce": Entry(
        "solvers.markov.sparse:sparse_cce", "few product policies, small gap", _MARKOV
    ),
    "spocmar": Entry("solvers.markov.spocmar:spocmar", "CCE from play, by policy cover", _MARKOV),
    "support_enumeration": Entry(
        "solvers.matrix.nash:support_enumeration", "all Nash, supports of equal size", _TWO_SEATS
    ),
    "v_learning": Entry(
        "solvers.markov.v_learning:v_learning", "CCE from play alone, certified", _MARKOV
    ),
    "vdn": Entry(
        "solvers.qmix:vdn",
        "team values as the sum of the agents'",
        {"form": "batch", "kind": "learner"},
    ),
    "vertex_enumeration": Entry(
        "solvers.matrix.nash:vertex_enumeration", "all extreme Nash equilibria", _TWO_SEATS
    ),
    "whittle": Entry("solvers.bandits.run:whittle", "Whittle indices, tested", _BANDIT),
    "wqmix": Entry(
        "solvers.qmix:wqmix",
        "QMIX, optimistically weighted, beside an unbounded value",
        {"form": "batch", "kind": "learner"},
    ),
    "xfp": Entry("solvers.tree.fictitious_play:xfp", "extensive-form fictitious play", _TREE),
}
"""Single solvers: id to entry."""

FAMILIES: dict[str, str] = {}
"""Prefixes with many solvers below them."""

ALIASES: dict[str, str] = {}
"""Short names."""
