"""Keys with parameters read back as what was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.errors import ArenaError, ParameterError
from arena.keys import join_key, split_key

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12)
)
tricky = st.sampled_from(
    [
        "4",
        "true",
        "None",
        "kuhn_poker(players=3)",
        "a,b",
        "a)",
        "1;3;5",
        'q"',
        " x",
        "[1",
        "0 1",
        "",
    ]
)
values = st.one_of(scalars, tricky, st.lists(scalars, max_size=3), st.dictionaries(names, scalars))


@given(
    name=st.from_regex(r"[a-z]+/[a-z_.]+", fullmatch=True), params=st.dictionaries(names, values)
)
def test_round_trip(name: str, params: dict[str, object]) -> None:
    assert split_key(join_key(name, params)) == (name, params)


def test_plain_strings_stay_bare() -> None:
    assert join_key("g", {"game": "kuhn_poker(players=3)", "n": "1;3"}) == (
        "g(game=kuhn_poker(players=3),n=1;3)"
    )


@pytest.mark.parametrize("bad", ["g(4)", "g(a=1,a=2)", "g(a=(1)", "g(a=[1)])", 'g(a="x)', "(a=1)"])
def test_what_cannot_be_read_is_refused(bad: str) -> None:
    with pytest.raises(ArenaError):
        split_key(bad)


def test_make_reads_keys() -> None:
    game = arena.make("goofspiel(num_cards=4)", players=3)
    assert game.key == "openspiel/goofspiel(num_cards=4,players=3)"
    assert arena.make(game.key).key == game.key
    with pytest.raises(ParameterError, match="num_cards"):
        arena.make("goofspiel(num_cards=4)", num_cards=5)
