"""A league: a folder with its settings and its results, and what can be done to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.load import fingerprint
from agents.references import parse
from arena.agent import Limits
from arena.errors import (
    AgentError,
    ParameterError,
    SpecError,
    StoreError,
)
from arena.game import Game
from arena.rng import fresh_seed
from tournaments.league.changes import now, outdated, renewed
from tournaments.league.creating import DB, begin, drafted, game_spec
from tournaments.league.identity import identity
from tournaments.league.opponents import Opponents, opponents_of
from tournaments.league.playing import (
    Played,
    Until,
    load_state,
    play_batches,
)
from tournaments.league.settings import (
    FILE,
    HERE,
    LeagueGame,
    Member,
    Placement,
    Settings,
    check_name,
    read_settings,
    write_settings,
)
from tournaments.league.status import LeagueStatus, status_of
from tournaments.league.table import LeagueTable, survey, table_of
from tournaments.league.trial import try_out
from tournaments.plan import Plan, make_plan
from tournaments.runner import Progress
from tournaments.spec import (
    AgentSpec,
    ExecutorSpec,
    ForfeitSpec,
    GameSpec,
    Isolation,
    Spec,
)
from tournaments.store import Store

__all__ = ["League"]


class League:
    """A population that grows, and what is known about it.

    Live Python objects take part as long as this object lives: they are told apart by what
    they are and hold, their results stay, but another process has to let them join again.

    Args:
        folder: of an existing league; see `League.create` and `league`.

    Raises:
        StoreError: it is no league.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._source = str(self.folder / FILE)
        self._live: dict[str, Any] = {}
        read_settings(self.folder)

    @staticmethod
    def create(
        folder: str | Path,
        *,
        games: Sequence[Game | str | GameSpec],
        agents: Mapping[str, Any] | None = None,
        name: str = "",
        seed: int | None = None,
        anchor: str = "",
        anchor_rating: float = 0.0,
        method: str = "auto",
        placement: Placement | None = None,
        limits: Limits | None = None,
        forfeit: ForfeitSpec | None = None,
        max_steps: int | None = None,
    ) -> League:
        """Make a new league, whole or not at all.

        Args:
            folder: that does not exist yet, or is empty.
            games: what is played; names, games, or specs with parameters.
            agents: the first members, name to reference or live object.
            name: of the league; by default the folder's.
            seed: everything random follows from it; None draws a fresh one.
            anchor: the member whose rating stands still; by default the first that joins.
            anchor_rating: where it stands.
            method: `davidson` (Elo scale), `cross_play` (mean payoff with each other
                member), or `auto`: `cross_play` for cooperative games.
            placement: when a newcomer counts as placed.
            limits: clocks and sizes of members that set none of their own.
            forfeit: what a forfeit pays, where the games' bounds do not say.
            max_steps: an episode is cut off after so many steps.

        Raises:
            StoreError: the folder holds something already.
            SpecError: a game or agent cannot be made, or an agent cannot play.
        """
        target = Path(folder)
        source = str(target / FILE)
        with drafted(target) as draft:
            settings = Settings(
                name=name or target.absolute().name,
                seed=fresh_seed() if seed is None else seed,
                created=now(),
                method="davidson",
                games=tuple(LeagueGame(game_spec(game), "", "") for game in games),
                anchor=anchor,
                anchor_rating=anchor_rating,
                placement=placement or Placement(),
                limits=limits,
                forfeit=forfeit or ForfeitSpec(),
                max_steps=max_steps,
            )
            begin(draft, settings, method=method, source=source)
            made = League(draft)
            made._source = source
            for label, agent in (agents or {}).items():
                made.join(label, agent)
            if anchor and agents:
                made.settings.member(anchor)
        made.folder = target
        return made

    # -- looking ---------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings and members, as they stand in `league.toml` now."""
        return read_settings(self.folder)

    @property
    def members(self) -> tuple[Member, ...]:
        """All versions of all agents, in the order in which they joined."""
        return self.settings.members

    @property
    def db(self) -> Path:
        """The result file, for `arena tournament show`, `report` and `export`."""
        return self.folder / DB

    def leaderboard(self, *, method: str = "") -> LeagueTable:
        """Return the table.

        Args:
            method: rate by another method than the league's own.
        """
        settings = self.settings
        with Store.open(self.db) as store:
            results, state = store.results(), load_state(store)
        found = survey(results, settings, method=method)
        own = method in ("", settings.method)
        return table_of(settings, found, state.placed, margins=own)

    def status(self) -> LeagueStatus:
        """Return where the league stands, also while it is being played."""
        return status_of(self.settings, self.db)

    def opponents(
        self,
        learner: str = "",
        *,
        weights: str = "prioritised",
        exclude: Collection[str] = (),
    ) -> Opponents:
        """Return the members to train against, with their weights.

        Args:
            learner: label (or name: its latest version that has played) of the member that
                trains; "" for one that has not joined yet. Before its first match every
                score counts as ½.
            weights: `prioritised`, `even` or `uniform` (see `tournaments.league.opponents`).
            exclude: labels that are left out.

        Raises:
            UnknownNameError: no such learner, or no such weights.
            NotApplicableError: nobody is left, or the weights need scores that a league on
                the payoff scale does not have.
        """
        return opponents_of(
            self.settings, self.db, self._live, learner, weights=weights, exclude=exclude
        )

    # -- changing --------------------------------------------------------------------

    def join(
        self,
        name: str,
        agent: Any,
        *,
        params: Mapping[str, Any] | None = None,
        isolation: Isolation | None = None,
        limits: Limits | None = None,
        retire_old: bool = False,
    ) -> Member:
        """Let an agent join, once it has played a match of every game.

        A name that is taken by another version of the agent is no obstacle: this one
        becomes `name@2`, and the old one stays with its results. The same version with the
        same name comes back if it had left (and is attached again if it is a live object).

        Args:
            name: what tables call it.
            agent: a reference (see `agents.load.load`), or a live agent, policy, function,
                class or factory. A live object that goes on learning should join as a copy.
            params: the agent's own parameters.
            isolation: where it runs; by default user code in a process of its own.
            limits: clocks and sizes of its own.
            retire_old: let its other versions leave.

        Raises:
            ParameterError: a name that is not allowed.
            AgentError: it is a member already, or fails in its first match.
            SpecError: it cannot be made, or cannot play a game.
        """
        check_name(name)
        live = not isinstance(agent, str)
        told = identity(agent, params) if live else ""
        with self._writing():
            settings = self.settings
            if live:
                self._check_alias(agent)
            spec = AgentSpec(
                name=name,
                ref="" if live else _absolute(agent),
                params=dict(params or {}),
                isolation=isolation,
                limits=limits,
                live=agent if live else None,
            )
            plan = self._plan(settings, [spec])
            told = told or plan.entries[0].fingerprint
            twin = next(
                (m for m in settings.members if m.fingerprint == told and m.spec.limits == limits),
                None,
            )
            if twin is not None:
                return self._again(settings, twin, name, agent)
            try_out(settings, spec, source=self._source)
            number = max((m.version for m in settings.versions(name)), default=0) + 1
            label = name if number == 1 else f"{name}@{number}"
            member = Member(
                name=name,
                version=number,
                spec=replace(spec, name=label, live=None),
                live=live,
                fingerprint=told,
                digest=plan.entries[0].digest,
                joined=now(),
            )
            others = [outdated(m, name, retire_old) for m in settings.members]
            write_settings(
                self.folder,
                replace(
                    settings,
                    members=(*others, member),
                    anchor=settings.anchor or label,
                ),
            )
            if live:
                self._live[label] = agent
        return member

    def retire(self, label: str, *, reason: str = "") -> Member:
        """Let a member leave; its results stay and it stays in the table.

        Raises:
            UnknownNameError: there is no such member.
            AgentError: it has left already.
        """
        with self._writing():
            settings = self.settings
            member = settings.member(label)
            if member.retired:
                raise AgentError(f"{label} has left already, on {member.retired}")
            gone = replace(member, retired=now(), reason=reason)
            members = tuple(gone if m.label == label else m for m in settings.members)
            write_settings(self.folder, replace(settings, members=members))
            self._live.pop(label, None)
        return gone

    def run(
        self,
        *,
        matches: int | None = None,
        until_interval: float | None = None,
        seconds: float | None = None,
        executor: ExecutorSpec | None = None,
        allow_changed: bool = False,
        durable: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Played:
        """Play: newcomers until they are placed, then where the table is least certain.

        What is played follows from the league's seed and its results alone. Ctrl-C stops
        it in order; the next run goes on with the very match that was next.

        Args:
            matches: stop after so many.
            until_interval: stop when no member's margin is larger (`Row.margin`).
            seconds: stop after so much wall time.
            executor: where; by default in this process, which live objects need.
            allow_changed: let agents whose code has changed go on as new versions and the
                old ones leave; let games of another version go on beside the old results.
            durable: have every commit reach the disk, for power failures.
            progress: called about ten times a second.

        Raises:
            ParameterError: a limit that is not above 0.
            SpecError: nobody or not enough to play, or an agent cannot be made.
            StoreError: an agent or a game has changed, or another run is going on.
        """
        for name, value in (
            ("matches", matches),
            ("until_interval", until_interval),
            ("seconds", seconds),
        ):
            if value is not None and not value > 0:
                raise ParameterError(name, value, "a number above 0")
        where = executor or HERE
        with self._writing(durable=durable) as store:
            settings = self.settings
            here = [m for m in settings.members if not m.retired]
            absent = tuple(m.label for m in here if m.live and m.label not in self._live)
            if len(here) - len(absent) < 2:
                note = f"; live objects have to join again: {', '.join(absent)}" if absent else ""
                raise SpecError(
                    f"{self._source}: nothing to play: {len(here) - len(absent)} of the two "
                    f"members that it takes can play{note}"
                )
            settings, spec, plan = self._current(settings, where, allow_changed=allow_changed)
            return play_batches(
                settings,
                spec,
                plan,
                store,
                until=Until(matches, until_interval, seconds),
                absent=absent,
                progress=progress,
            )

    # -- inside ----------------------------------------------------------------------

    @contextmanager
    def _writing(self, *, durable: bool = False) -> Iterator[Store]:
        """Hold the lock of the result file, which guards the settings too."""
        read_settings(self.folder)
        with Store.open(self.db, write=True, durable=durable) as store:
            load_state(store)
            yield store

    def _spec(
        self, settings: Settings, specs: Sequence[AgentSpec], executor: ExecutorSpec = HERE
    ) -> Spec:
        return settings.spec(specs, source=self._source, executor=executor)

    def _plan(
        self, settings: Settings, specs: Sequence[AgentSpec], executor: ExecutorSpec = HERE
    ) -> Plan:
        return make_plan(self._spec(settings, specs, executor), seed=settings.seed)

    def _players(self, settings: Settings) -> list[AgentSpec]:
        """Return the members that can play here, ready to be made."""
        return [
            replace(m.spec, live=self._live.get(m.label))
            for m in settings.members
            if not m.retired and (not m.live or m.label in self._live)
        ]

    def _current(
        self, settings: Settings, executor: ExecutorSpec, *, allow_changed: bool
    ) -> tuple[Settings, Spec, Plan]:
        """Return what is played, after what has changed is found or given new versions.

        Raises:
            StoreError: naming everything that has changed.
        """
        players = self._players(settings)
        plan = self._plan(settings, players, executor)
        fresh, changes = renewed(settings, plan)
        if changes:
            if not allow_changed:
                raise StoreError(
                    f"{self.folder} has results of other versions: {'; '.join(changes)} (allow "
                    "changes to go on with new versions beside the old results)"
                )
            settings = fresh
            players = self._players(settings)
            plan = self._plan(settings, players, executor)
            write_settings(self.folder, settings)
        return settings, self._spec(settings, players, executor), plan

    def knows(self, name: str, agent: Any) -> bool:
        """Whether this version of an agent is here, or has left for good."""
        live = not isinstance(agent, str)
        told = identity(agent) if live else fingerprint(_absolute(agent), {})
        return any(
            member.name == name
            and member.fingerprint == told
            and (bool(member.retired) or not member.live)
            for member in self.members
        )

    def _check_alias(self, agent: Any) -> None:
        for label, other in self._live.items():
            if other is agent:
                raise AgentError(
                    f"this object is in the league already, as {label!r}; an agent that goes on "
                    "learning joins as a copy (copy.deepcopy), so that its versions stay apart"
                )

    def _again(self, settings: Settings, twin: Member, name: str, agent: Any) -> Member:
        """Let a version come back that is known already, or refuse it."""
        lost = twin.live and twin.label not in self._live
        if twin.name != name or not (twin.retired or lost):
            left = f" (it left on {twin.retired})" if twin.retired else ""
            raise AgentError(
                f"the same agent is in the league already, as {twin.label!r}{left}: same code, "
                "parameters and limits"
            )
        back = replace(twin, retired="", reason="")
        members = tuple(back if m.label == twin.label else m for m in settings.members)
        write_settings(self.folder, replace(settings, members=members))
        if twin.live:
            self._live[twin.label] = agent
        return back


def _absolute(ref: str) -> str:
    """Return a reference that means the same wherever the league is run."""
    reference = parse(ref)
    return str(reference) if reference.kind in ("file", "policy") else ref
