// -- replay ----------------------------------------------------------------------------

const PLAY = "M4 2.5v11l9-5.5z";
const icon = (d) => svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d }));
let playing = null, timer = null, unpacked = null, asText = false;
let onClose = null; // what closes the replay, where the page has anything else to show

async function unpack() {
  const text = $("packed").textContent.trim();
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the replays; any browser from 2023 on can.");
  }
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Map();
  for (const line of (await new Response(stream).text()).split("\n")) {
    if (line) lines.set(parseInt(line.slice(1), 10), line);
  }
  return lines;
}

// Shows the match, or says why that cannot be.
async function load(match) {
  unpacked = unpacked || unpack();
  try {
    const [, note, steps] = JSON.parse((await unpacked).get(match.n));
    playing = { match, note, steps, at: 0 };
  } catch (error) {
    $("replay").replaceChildren(el("p", { class: "lost" }, error.message));
    return false;
  }
  drawReplay();
  return true;
}

function moveText([seat, text], match, board = DATA.games[playing.match.g].board) {
  return el("span", { class: "mv" + (seat < 0 ? " luck" : "") }, dot(seat),
    el("span", null, seat < 0 ? chanceText(text, board) : text, match ? el("span", { class: "hide" }, ` (${seatName(match, seat)})`) : null));
}

function chanceText(text, board) {
  const outcome = /^(?:chance outcome|deal)\W*(\d+)$/i.exec(text);
  if (outcome && CARDS[board]) return "deal " + CARDS[board](+outcome[1]);
  return /chance|deal|roll|card/i.test(text) ? text : "chance: " + text;
}

function drawReplay() {
  const { match, note, steps } = playing, game = DATA.games[match.g];
  const moves = el("ol", null, ...steps.map((step, i) => el("li", null,
    el("button", { type: "button", onclick: () => goTo(i) }, el("span", null, i ? i + "." : ""),
      el("span", null, ...(step[1].length ? step[1].map((m) => moveText(m, match)) : ["start"]))))));
  const seats = match.s.map((k, seat) => {
    const node = el("div", { class: "seat" }, el("div", null, named(agent(k)), el("span", { "data-pay": seat })),
      el("small", null, seatName(match, seat)));
    node.style.borderLeftColor = seatColor(seat);
    return node;
  });
  const tool = (label, face, act, id) => el("button", { type: "button", "aria-label": label, title: label, onclick: act, id }, face);
  const slider = el("input", { type: "range", min: 0, max: steps.length - 1, value: 0, "aria-label": "Step", oninput: (e) => goTo(+e.target.value) });
  const bad = match.o === undefined ? null : el("p", { class: "lost" },
    `${seatName(match, match.o)} (${said(match.s[match.o])}) forfeited: ${match.f}. ${match.d || ""}`);
  $("replay").replaceChildren(
    el("header", null, el("div", null, el("h3", null, onClose ? `Match ${match.n}: ${cut(game.label)}` : "Step by step"),
      el("p", null, `${cut(game.key, 120)} · chance seed ${match.seed} · ${steps.length - 1} steps`)),
      onClose && el("button", { type: "button", "aria-label": "Close the replay", onclick: onClose }, "Close")),
    bad || "",
    el("div", { class: "stage" },
      el("div", { class: "show" }, el("div", { class: "seats" }, ...seats), el("div", { class: "view", id: "view" }),
        el("p", { class: "event", id: "event", "aria-live": "polite" })),
      el("div", { class: "moves" }, el("h4", null, "Moves"), moves)),
    el("div", { class: "controls" },
      tool("First step (Home)", icon("M3 3h2v10H3zM13 3v10L6 8z"), () => goTo(0)),
      tool("Step back (left arrow)", icon("M12 3v10L4 8z"), () => goTo(playing.at - 1)),
      tool("Play or pause (space)", "", toggle, "play"),
      tool("Step on (right arrow)", icon("M4 3v10l8-5z"), () => goTo(playing.at + 1)),
      tool("Last step (End)", icon("M11 3h2v10h-2zM3 3v10l7-5z"), () => goTo(steps.length - 1)), slider, el("output", { id: "at" }),
      game.board !== "text" ? tool("Switch between board and text", "Aa", () => { asText = !asText; goTo(playing.at, true); }) : ""),
    note ? el("p", { class: "lost" }, note) : "");
  stop();
}

function goTo(step, first) {
  if (!playing) return;
  const { match, steps } = playing;
  const at = playing.at = Math.min(Math.max(Math.round(step) || 0, 0), steps.length - 1);
  const [, moves, returns, chance] = steps[at];
  const ended = at === steps.length - 1;
  const paid = ended && match.p.length ? match.p : returns;
  document.querySelectorAll("#replay [data-pay]").forEach((node) => {
    node.textContent = ended || returns.some((r) => r) ? signed(paid[+node.dataset.pay] ?? 0) : "";
  });
  $("view").replaceChildren(picture(playing, at));
  $("view").dataset.step = at;
  const event = $("event");
  event.replaceChildren(...(moves.length ? moves.flatMap((m, i) => [i ? " " : "", moveText(m)]) : ["Start of the match"]));
  moves.forEach(([seat], i) => {
    const node = event.querySelectorAll(".mv > span")[i];
    if (seat >= 0) node.prepend(`${said(match.s[seat])} plays `);
    else if (chance !== null) node.append(` (probability ${num(chance, 3)})`);
  });
  if (ended) event.append(match.o !== undefined ? ` · ${said(match.s[match.o])} forfeits here` : match.t ? " · cut off here" : " · the match is over");
  $("at").textContent = `${at} / ${steps.length - 1}`;
  $("replay").querySelector("input[type=range]").value = at;
  const list = $("replay").querySelector(".moves ol");
  list.querySelectorAll("[aria-current]").forEach((b) => b.removeAttribute("aria-current"));
  const now = list.children[at].firstChild;
  now.setAttribute("aria-current", "step");
  list.scrollTop = Math.max(now.offsetTop - list.clientHeight / 2, 0);
  if (ended) stop();
  const hash = `#match=${match.n}&step=${at}`;
  if (!first || !location.hash.startsWith("#match=")) history.replaceState(null, "", hash);
}

function toggle() {
  if (timer) return stop();
  if (playing.at === playing.steps.length - 1) goTo(0);
  timer = setInterval(() => goTo(playing.at + 1), 700);
  $("play").replaceChildren(icon("M4 3h3v10H4zM9 3h3v10H9z"), " Pause");
}
function stop() {
  clearInterval(timer);
  timer = null;
  if ($("play")) $("play").replaceChildren(icon(PLAY), " Play");
}
addEventListener("keydown", (e) => {
  if (!playing || e.altKey || e.ctrlKey || e.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
  if (e.target.closest?.(".scroll")) return;
  const inside = $("replay").contains(e.target);
  const act = { ArrowLeft: () => goTo(playing.at - 1), ArrowRight: () => goTo(playing.at + 1),
    Home: inside && (() => goTo(0)), End: inside && (() => goTo(playing.steps.length - 1)),
    Escape: inside && onClose }[e.key];
  if (act) { act(); e.preventDefault(); }
  else if (e.key === " " && e.target === $("replay")) { toggle(); e.preventDefault(); }
});

// -- boards ----------------------------------------------------------------------------

function picture({ match, steps }, at) {
  const [text, , , , drawing] = steps[at], before = at ? steps[at - 1][0] : text;
  if (drawing && !asText) {
    return el("img", { alt: "", src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawing) });
  }
  const board = DATA.games[match.g].board;
  const draw = { chess, kuhn, leduc, discs: cells, marks: cells }[board];
  const drawn = asText || !draw ? null : draw(text, before, board, match);
  return drawn || el("pre", { class: board === "discs" || board === "marks" ? "grid-text" : null }, el("bdi", null, text));
}

function gridOf(text) {
  const rows = text.trim().split("\n").map((line) => [...line.trim()]);
  return rows.every((row) => row.length === rows[0].length && row.every((c) => ".xo".includes(c))) ? rows : null;
}

function cells(text, before, kind) {
  const rows = gridOf(text), old = gridOf(before) || rows;
  if (!rows) return null;
  const h = rows.length, w = rows[0].length, discs = kind === "discs";
  const out = svg("svg", { viewBox: `0 0 ${w * 10} ${h * 10}`, role: "img", "aria-label": rows.map((r) => r.join(" ")).join("; ") });
  if (discs) out.append(svg("rect", { width: w * 10, height: h * 10, rx: 4, fill: "var(--line)" }));
  rows.forEach((row, r) => row.forEach((c, i) => {
    const x = i * 10 + 5, y = r * 10 + 5, color = `var(--s${c === "x" ? 0 : 1})`, fresh = c !== "." && old[r] && old[r][i] !== c;
    if (discs) {
      out.append(svg("circle", { cx: x, cy: y, r: 4, fill: c === "." ? "var(--card)" : color }));
      if (fresh) out.append(svg("circle", { cx: x, cy: y, r: 1.4, fill: "var(--card)" }));
      return;
    }
    out.append(svg("rect", { x: x - 4.8, y: y - 4.8, width: 9.6, height: 9.6, rx: 1, fill: fresh ? "var(--accent-bg)" : "var(--cell)" }));
    if (c === "x") out.append(svg("path", { d: `M${x - 2.6} ${y - 2.6}l5.2 5.2m0-5.2l-5.2 5.2`, stroke: color, "stroke-width": 1.2, "stroke-linecap": "round" }));
    if (c === "o") out.append(svg("circle", { cx: x, cy: y, r: 2.8, fill: "none", stroke: color, "stroke-width": 1.2 }));
  }));
  return out;
}

// Kuhn poker has the cards J, Q, K; Leduc poker two of each.
const CARDS = { kuhn: (c) => "JQK"[c] || String(c), leduc: (c) => ("JQK"[c >> 1] || String(c)) + "♠♥"[c & 1] };

function table(match, kind, hands, shown, lines) {
  const card = (x, c) => {
    const face = c === null ? "" : CARDS[kind](c), red = face.endsWith("♥");
    return svg("g", { transform: `translate(${x} 6)` },
      svg("rect", { width: 26, height: 37, rx: 3, fill: c === null ? "var(--line)" : "#fff", stroke: "var(--soft)", "stroke-width": 0.6 }),
      svg("text", { x: 13, y: 24, "text-anchor": "middle", "font-size": 13, "font-weight": 700, fill: red ? "#b3261e" : "#1a1e24" }, face));
  };
  const spots = [...hands.map((c, i) => [c, cut(agent(match.s[i]), 18), seatColor(i)]), ...(shown === undefined ? [] : [[shown, "public", "var(--soft)"]])];
  const W = Math.max(spots.length * 62, 150), H = 62 + lines.length * 11;
  const out = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": spots.map(([c, who]) => `${who}: ${c === null ? "no card yet" : CARDS[kind](c)}`).join(", ") + "; " + lines.filter(Boolean).join("; ") });
  const left = (W - spots.length * 62) / 2;
  spots.forEach(([c, who, color], i) => out.append(card(left + i * 62 + 18, c),
    svg("text", { x: left + i * 62 + 31, y: 53, "text-anchor": "middle", "font-size": 7, "font-weight": 600, fill: color }, who)));
  lines.forEach((line, i) => out.append(svg("text", { x: W / 2, y: 68 + i * 11, "text-anchor": "middle", "font-size": 7.5, fill: "var(--ink)" }, line)));
  return out;
}

function kuhn(text, before, kind, match) {
  const found = /^(?:(\d) ?)?(?:(\d) ?)?([pb]*)$/.exec(text.trim());
  if (!found || match.s.length !== 2) return null;
  const bets = [...found[3]].map((c) => (c === "b" ? "bet" : "pass")).join(", ");
  return table(match, kind, [1, 2].map((i) => (found[i] === undefined ? null : +found[i])), undefined, [bets || "no bets yet"]);
}

function leduc(text, before, kind, match) {
  const pick = (pattern) => (pattern.exec(text) || [])[1];
  const dealt = pick(/^Cards[^:]*: (.*)$/m), pot = pick(/^Pot: (.*)$/m), money = pick(/^Money[^:]*: (.*)$/m);
  if (!dealt || match.s.length !== 2) return null;
  const [open, ...hands] = dealt.trim().split(/\s+/).map((c) => (+c < 0 ? null : +c));
  const rounds = [1, 2].map((r) => pick(new RegExp(`^Round ${r} sequence: (.*)$`, "m"))).map((s, r) => s && `round ${r + 1}: ${s.toLowerCase()}`);
  return table(match, kind, hands, open, [`pot ${pot} · money ${(money || "").trim().split(/\s+/).join(" and ")}`, rounds[0] || "", rounds[1] || ""]);
}

function squares(fen) {
  const rows = fen.trim().split(" ")[0].split("/").map((row) =>
    [...row].flatMap((c) => (/[1-8]/.test(c) ? Array(+c).fill("") : /[prnbqk]/i.test(c) ? [c] : [null])));
  return rows.length === 8 && rows.every((row) => row.length === 8 && !row.includes(null)) ? rows : null;
}

function chess(fen, before) {
  const rows = squares(fen), old = squares(before) || rows;
  if (!rows) return null;
  const out = svg("svg", { viewBox: "0 0 80 80", role: "img", "aria-label": "chess position " + fen });
  rows.forEach((row, r) => row.forEach((piece, i) => {
    out.append(svg("rect", { x: i * 10, y: r * 10, width: 10, height: 10, fill: `var(--sq${1 + (r + i) % 2})` }));
    if (old[r][i] !== piece) out.append(svg("rect", { x: i * 10, y: r * 10, width: 10, height: 10, fill: "var(--s0)", opacity: 0.35 }));
    if (!piece) return;
    const white = piece === piece.toUpperCase();
    out.append(svg("text", { x: i * 10 + 5, y: r * 10 + 8.2, "text-anchor": "middle", "font-size": 9,
      fill: white ? "#fff" : "#111", stroke: white ? "#222" : "#111", "stroke-width": 0.25, "paint-order": "stroke" },
      "♚♛♜♝♞♟"["kqrbnp".indexOf(piece.toLowerCase())] + "\ufe0e"));
  }));
  return out;
}
