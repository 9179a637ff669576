"""From a reference in a tournament file or on the command line to an agent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from agents.callables import CallableAgent
from agents.control import plays_vectors
from agents.fingerprints import fingerprint
from agents.network import from_file as network_file
from agents.references import parse
from agents.source import find
from agents.tabular import from_file, playing
from arena.agent import Agent
from arena.errors import AgentError, ArenaError, UnknownNameError
from arena.policy import Mediator, Policy
from arena.registry import AGENTS, load_target
from arena.solver import Solution

__all__ = ["as_agent", "build", "fingerprint", "load"]

_METHODS = ("begin", "act", "close")


def load(ref: str | Sequence[str], **params: Any) -> Agent:
    """Make the agent that `ref` names.

    Args:
        ref: a registered name; `package.module:factory`; `path/to/file.py:factory`;
            `policy.npz`, a saved policy or solution; `checkpoint.safetensors`, what a
            training run wrote; `cmd:./bot --flag`, an external process, or its words as a
            list. See `build` for what a factory may be.
        params: the agent's own parameters.

    Raises:
        UnknownNameError: no agent of that name, or no parameter; with the nearest names.
        ParameterError: a parameter is missing or not allowed.
        AgentError: the file, module, factory or program is not there, or fails.
    """
    reference = parse(ref)
    if reference.kind == "command":
        from agents.process import ProcessAgent

        return ProcessAgent(reference.words, params=params)
    if reference.kind == "policy":
        read = network_file if reference.target.endswith(".safetensors") else from_file
        return read(reference.target, **params)
    if reference.kind == "registered":
        return build(AGENTS.factory(reference.target), params, name=f"agent {reference.target}")
    return build(find(reference), params, name=str(reference))


def build(thing: Any, params: Mapping[str, Any], *, name: str) -> Agent:
    """Make an agent from what a reference points to.

    What it is follows from how it can be called:

    1. a class is made with `params`;
    2. an agent or policy is taken as it is, without `params`;
    3. a function that can be called with `params` alone is a factory: it returns 1., 2. or a
       function `f(observation) -> action`;
    4. a function that needs exactly one argument besides `params` is itself
       `f(observation) -> action`.

    Args:
        thing: what was found.
        params: the agent's own parameters.
        name: what messages call it.

    Raises:
        UnknownNameError: no parameter of that name.
        ParameterError: a parameter is missing or not allowed.
        AgentError: it is none of the four, or raises an exception.
    """
    if not inspect.isclass(thing) and _is_ready(thing):
        if params:
            raise AgentError(f"{name} is an agent already and takes no parameters: {dict(params)}")
        return as_agent(thing, name=name)
    if not callable(thing):
        raise AgentError(
            f"{name} is {_kind(thing)}, not an agent, a class, a function that makes one,"
            " or a function f(observation) -> action"
        )
    if not inspect.isclass(thing) and _is_chooser(thing, params):
        return CallableAgent(partial(thing, **params) if params else thing, name=name)
    _check_parameters(thing, params, name)
    try:
        made = thing(**params)
    except (ArenaError, ImportError):
        raise
    except Exception as error:
        raise AgentError(f"{name} could not be made: {type(error).__name__}: {error}") from error
    if callable(made) and not inspect.isclass(made) and not _is_ready(made):
        return CallableAgent(made, name=name)
    if inspect.isclass(made) or not _is_ready(made):
        hint = ""
        if inspect.isfunction(thing) and inspect.signature(thing).parameters:
            hint = "; a function f(observation) -> action must not give `observation` a default"
        raise AgentError(f"{name} made {_kind(made)}, which {_lack(made)}{hint}")
    return as_agent(made, name=name)


def as_agent(thing: Any, *, name: str = "") -> Agent:
    """Return a live Python object as an agent.

    Takes agents, their classes (made without parameters), policies, solutions, OpenSpiel bots
    and policies, and functions `f(observation) -> action`.

    Raises:
        AgentError: it is nothing that can play; the message says what it lacks.
    """
    if inspect.isclass(thing):
        return build(thing, {}, name=name or thing.__name__)
    if isinstance(thing, Solution):
        thing, name = thing.policy, name or thing.solver
    if all(callable(getattr(thing, method, None)) for method in _METHODS):
        agent: Agent = thing
        return agent
    if isinstance(thing, Policy | Mediator) or plays_vectors(thing):
        return playing(thing, name=name)
    if _is_openspiel(thing):
        live: Agent = load_target("agents.openspiel_live:wrap_live")(thing)
        return live
    if callable(thing) and not hasattr(thing, "act"):
        return CallableAgent(thing, name=name)
    raise AgentError(f"{name or 'this'} is {_kind(thing)}, which {_lack(thing)}")


def _is_ready(thing: Any) -> bool:
    """Whether a thing plays as it is: an agent, a policy, a solution."""
    whole = all(callable(getattr(thing, method, None)) for method in _METHODS)
    return whole or isinstance(thing, Policy | Mediator | Solution) or _is_openspiel(thing)


def _is_openspiel(thing: Any) -> bool:
    """Whether a thing is a bot or policy in OpenSpiel's sense; told by what it can do."""
    bot = ("step", "restart_at", "inform_action")
    return callable(getattr(thing, "action_probabilities", None)) or all(
        callable(getattr(thing, method, None)) for method in bot
    )


def _is_chooser(thing: Callable[..., Any], params: Mapping[str, Any]) -> bool:
    """Whether a function needs exactly one argument more than `params`: the observation."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(**params)
        return False
    except TypeError:
        pass
    try:
        signature.bind(None, **params)
        return True
    except TypeError:
        return False


def _check_parameters(thing: Callable[..., Any], params: Mapping[str, Any], name: str) -> None:
    """Refuse parameters that a factory does not take, and ask for those that it needs."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return  # written in C: the call itself will tell
    known = {
        key: parameter
        for key, parameter in signature.parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        for key in params:
            if key not in known:
                takes = f"it takes {', '.join(known)}" if known else "it takes none"
                raise UnknownNameError(f"parameter of {name}", key, known, hint=takes)
    missing = [k for k, p in known.items() if p.default is p.empty and k not in params]
    if missing:
        raise AgentError(
            f"{name} needs the parameter{'s' * (len(missing) > 1)} {', '.join(missing)}"
            + ("" if inspect.isclass(thing) else "; a function f(observation) takes one argument")
        )


def _lack(thing: Any) -> str:
    missing = [m for m in _METHODS if not callable(getattr(thing, m, None))]
    if len(missing) == len(_METHODS):
        return "is neither an agent (begin, act, close) nor a policy (probabilities)"
    return f"has no {' and no '.join(missing)}: an agent has begin, act and close"


def _kind(thing: Any) -> str:
    if inspect.isclass(thing):
        return f"the class {thing.__name__}"
    if thing is None or isinstance(thing, bool | int | float | str):
        return repr(thing)[:80]
    return f"a {type(thing).__name__}"
