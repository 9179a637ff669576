"""Solvers of the form `normal_form`: payoff tensors of shape (n, A_1, …, A_n)."""
