"use strict";
// Text from the data enters the page only through textContent and attributes, never as markup.
const errors = [];
window.addEventListener("error", (e) => fault(e.message));
window.addEventListener("unhandledrejection", (e) => fault(String(e.reason)));
function fault(text) {
  errors.push(text);
  document.body.dataset.errors = errors.join(" | ");
}

const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("facts").textContent);
const SVG = "http://www.w3.org/2000/svg";

function el(tag, props, ...kids) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...kids.filter((k) => k !== null && k !== undefined));
  return node;
}

function svg(tag, props, ...kids) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props || {})) node.setAttribute(key, value);
  node.append(...kids);
  return node;
}

const cut = (text, n = 60) => (text.length > n ? text.slice(0, n - 1) + "…" : text);
const named = (text, extra = "") =>
  el("bdi", { class: "name " + extra, title: text.length > 14 ? cut(text, 400) : null }, cut(text));
const agent = (k) => DATA.agents[k];
// Isolated, so that right-to-left marks in a name cannot reorder what stands around it.
const said = (k) => "\u2068" + cut(agent(k), 40) + "\u2069";

function num(x, digits = 2) {
  if (x === null || x === undefined) return "–";
  const text = x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return /[1-9]/.test(text) ? text.replace("-", "−") : (0).toFixed(digits);
}
const payoff = (x) => (x === null ? "–" : num(x, Number.isInteger(x) ? 0 : Math.abs(x) < 10 ? 2 : 1));
const signed = (x) => (x > 0 ? "+" : "") + payoff(x);

// -- which game is shown ---------------------------------------------------------------

let scope = 0;

function scopes() {
  const rows = document.querySelectorAll("[data-scopes]");
  if (DATA.tables.length < 2) return;
  rows.forEach((row) => {
    row.setAttribute("role", "group");
    DATA.tables.forEach((table, i) =>
      row.append(el("button", { type: "button", "data-to": i, onclick: () => setScope(i) }, cut(table.label, 40))));
  });
}

function setScope(i) {
  scope = i;
  document.querySelectorAll("[data-scope]").forEach((node) => {
    node.hidden = +node.dataset.scope !== i;
    node.removeAttribute("data-later");
  });
  document.querySelectorAll("[data-scopes] button").forEach((b) =>
    b.setAttribute("aria-pressed", +b.dataset.to === i));
  view = null;
  drawHeat();
}

// -- leaderboard: sorting and downloads ------------------------------------------------

function sortable() {
  document.querySelectorAll("table.board").forEach((table) => {
    const heads = [...table.querySelectorAll("th[data-sort]")];
    heads.forEach((th) => {
      const button = el("button", { type: "button" }, ...th.childNodes);
      button.addEventListener("click", () => {
        const key = th.dataset.sort;
        const before = th.getAttribute("aria-sort");
        const up = before ? before === "descending" : key === "rank" || key === "agent";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", up ? "ascending" : "descending");
        const value = (tr) => (key === "agent" ? agent(+tr.dataset.row) : tr.dataset[key]);
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          if (x === "" || y === "") return (x === "") - (y === "");
          const order = key === "agent" ? x.localeCompare(y) : x - y;
          return up ? order : -order;
        });
        table.tBodies[0].append(...rows);
      });
      th.append(button);
    });
  });
}

function download(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function csvCell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  // A spreadsheet would run text that starts like a formula.
  if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function standings() {
  return DATA.tables[scope].rows.map((row) => ({ ...row, agent: agent(row.agent) }));
}

function asCsv() {
  const rows = standings();
  if (!rows.length) return "";
  const keys = Object.keys(rows[0]);
  return [keys, ...rows.map((row) => keys.map((k) => row[k]))]
    .map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function asJson() {
  const { label, scale, order, wins, draws, met, payoff: paid, superiority } = DATA.tables[scope];
  return JSON.stringify({ tournament: DATA.name, table: label, scale, standings: standings(),
    matrix_agents: order.map(agent), wins, draws, met, payoff: paid, superiority }, null, 1);
}

function downloads() {
  const base = () => (DATA.name + "-" + DATA.tables[scope].label).replace(/[^\w.-]+/g, "_").slice(0, 80);
  $("downloads").append(
    el("button", { type: "button", onclick: () => download(base() + ".csv", "text/csv", asCsv()) }, "CSV"),
    el("button", { type: "button", onclick: () => download(base() + ".json", "application/json", asJson()) }, "JSON"));
}

// -- head to head ----------------------------------------------------------------------

const VIEWS = { win_rate: "Win rate", payoff: "Mean payoff", superiority: "Superiority" };
const ABOUT = {
  win_rate: "How often the row agent beats the column agent; draws count half. Forfeits count as losses.",
  payoff: "What the row agent is paid on average in the column agent’s company; the diagonal is self-play.",
  superiority: "How likely it is, given all results, that the row agent is the stronger of the two.",
};
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
let view = null;

const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
function ramp(stops, t) {
  const x = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(x), stops.length - 2);
  const [a, b] = [rgb(stops[i]), rgb(stops[i + 1])];
  return a.map((v, c) => Math.round(v + (b[c] - v) * (x - i)));
}
function inkOn(color) {
  const [r, g, b] = color.map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
function diverging() {
  const css = getComputedStyle(document.documentElement);
  return ["lo", "mid", "hi"].map((k) => css.getPropertyValue("--heat-" + k).trim());
}

// Wilson's score interval (1927), draws as halves.
function wilson(score, n, z = 1.959964) {
  const p = score / n, q = z * z / n, centre = (p + q / 2) / (1 + q);
  const half = (z / (1 + q)) * Math.sqrt(p * (1 - p) / n + q / (4 * n));
  return [centre - half, centre + half];
}

function cellOf(table, kind, a, b) {
  const i = table.order[a], j = table.order[b];
  if (kind === "superiority") {
    const p = table.superiority[a][b];
    return i === j || p === null ? null : { value: p, text: num(100 * p, 0),
      say: `${said(i)} is stronger than ${said(j)} with probability ${num(100 * p, 1)}%.` };
  }
  if (kind === "payoff") {
    const m = table.payoff[a][b], e = table.error[a][b], n = table.met[a][b];
    if (m === null) return null;
    const interval = e === null ? "" : ` (95% interval ${num(m - 1.96 * e)} to ${num(m + 1.96 * e)})`;
    const with_ = i === j ? "with itself" : `with ${said(j)}`;
    return { value: m, text: num(m, Math.abs(m) < 100 ? 2 : 0), half: e === null ? "" : "±" + num(1.96 * e, 2),
      say: `${said(i)} ${with_}: mean payoff ${num(m, 3)}${interval} in ${num(n, 0)} ${n === 1 ? "seating" : "seatings"}.` };
  }
  const w = table.wins[a][b], d = table.draws[a][b], l = table.wins[b][a], n = w + d + l;
  if (!n || i === j) return null;
  const score = w + d / 2, [low, high] = wilson(score, n);
  return { value: score / n, text: num(100 * score / n, 0),
    say: `${said(i)} against ${said(j)}: ${num(100 * score / n, 1)}% (95% interval ${num(100 * low, 1)} to ${num(100 * high, 1)}), ` +
      `${num(w, 0)} won · ${num(d, 0)} drawn · ${num(l, 0)} lost of ${num(n, 0)}.` };
}

function drawHeat() {
  const table = DATA.tables[scope];
  const any = table.wins.some((row, i) => row.some((w, j) => w + table.draws[i][j] > 0));
  const kinds = Object.keys(VIEWS).filter((k) =>
    (k === "superiority" ? table.superiority : k === "win_rate" ? any : true));
  if (!view || !kinds.includes(view)) view = kinds.includes(table.view) ? table.view : kinds[0];
  $("views").replaceChildren(...kinds.map((k) => el("button",
    { type: "button", "aria-pressed": String(k === view), onclick: () => { view = k; drawHeat(); } }, VIEWS[k])));
  $("heat-about").textContent = ABOUT[view];
  const order = table.order, K = order.length;
  const cells = order.map((i, a) => order.map((j, b) => cellOf(table, view, a, b)));
  const values = cells.flat().filter(Boolean).map((c) => c.value);
  let low = 0, high = 1, stops = diverging();
  if (view === "payoff") {
    [low, high, stops] = [Math.min(...values), Math.max(...values), VIRIDIS];
  }
  const shade = (v) => ramp(stops, high > low ? (v - low) / (high - low) : 0.5);
  const dense = K > 26;
  const head = el("tr", null, el("td", null), ...order.map((j) =>
    el("th", { scope: "col" }, named(agent(j), K > 8 ? "up" : ""))));
  head.firstChild.style.background = "none";
  const rows = order.map((i, a) => el("tr", null, el("th", { scope: "row" }, named(agent(i))),
    ...cells[a].map((cell, b) => {
      const td = el("td", { tabindex: a + b ? "-1" : "0" }, dense ? "" : cell ? cell.text : "·",
        K <= 8 && cell && cell.half ? el("small", null, cell.half) : "");
      if (cell) {
        const color = shade(cell.value);
        td.style.background = `rgb(${color})`;
        td.style.color = inkOn(color);
        td.setAttribute("aria-label", cell.say);
      } else td.setAttribute("aria-label", i === b ? "" : "no result");
      td.dataset.at = a + "," + b;
      return td;
    })));
  const grid = el("table", { class: "heat" + (dense ? " dense" : K <= 8 ? " wide-cells" : ""), role: "grid" },
    el("caption", null, `${VIEWS[view]}, ${table.label}`), el("thead", null, head), el("tbody", null, ...rows));
  const show = (e) => {
    const td = e.target.closest("td[data-at]");
    if (!td) return;
    const [a, b] = td.dataset.at.split(",").map(Number);
    const cell = cells[a][b];
    $("heat-detail").textContent = cell ? cell.say :
      a === b ? `${said(order[a])}.` : `${said(order[a])} and ${said(order[b])}: no result.`;
  };
  grid.addEventListener("pointerover", show);
  grid.addEventListener("focusin", show);
  grid.addEventListener("click", show);
  grid.addEventListener("keydown", (e) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
    const td = e.target.closest("td[data-at]");
    if (!by || !td) return;
    const [a, b] = td.dataset.at.split(",").map(Number);
    const to = grid.querySelector(`[data-at="${a + by[0]},${b + by[1]}"]`);
    if (to) { td.tabIndex = -1; to.tabIndex = 0; to.focus(); }
    e.preventDefault();
    e.stopPropagation();
  });
  $("heat").replaceChildren(grid);
  $("heat-detail").textContent = "Point at a cell, or tap it, for its counts and interval.";
  const bar = el("i");
  bar.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
  const percent = view !== "payoff";
  $("heat-key").replaceChildren(values.length ? el("div", { class: "ramp", role: "img", "aria-label": "colour scale" },
    percent ? "0%" : num(low), bar, percent ? "100%" : num(high)) : "");
}

// -- rating over time ------------------------------------------------------------------

const LINES = ["#3f86d8", "#e07f1b", "#1b9e77", "#c75fa3", "#7f74d6", "#949413", "#d1495b", "#2f9fb3"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
const lineColor = (k) => LINES[k % LINES.length];
const dash = (k) => DASHES[Math.floor(k / LINES.length) % DASHES.length];
const hiddenLines = new Set();

function finalOrder() {
  return DATA.curve.agents.map((k, i) => [k, DATA.curve.y[i].findLast((v) => v !== null)]);
}

function curve() {
  if (!DATA.curve || !DATA.curve.x.length) {
    $("time").hidden = true;
    document.querySelector('.bar a[href="#time"]').hidden = true;
    return;
  }
  const order = finalOrder();
  order.slice(10).forEach(([k]) => hiddenLines.add(k));
  $("legend").append(...order.map(([k, last]) => {
    const key = svg("svg", { width: 22, height: 10, "aria-hidden": "true" },
      svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: lineColor(k), "stroke-width": 3, "stroke-dasharray": dash(k) }));
    const button = el("button", { type: "button", "aria-pressed": String(!hiddenLines.has(k)) }, key, named(agent(k)), num(last, 0));
    button.addEventListener("click", () => {
      if (!hiddenLines.delete(k)) hiddenLines.add(k);
      button.setAttribute("aria-pressed", String(!hiddenLines.has(k)));
      drawCurve();
    });
    return button;
  }));
  drawCurve();
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; drawCurve(); } });
}

function niceTicks(low, high, about) {
  const raw = (high - low) / about, base = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * base).find((s) => s >= raw * 0.999);
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) out.push(v);
  return out;
}

function drawCurve() {
  const box = $("curve"), xs = DATA.curve.x, ys = new Map(DATA.curve.agents.map((k, i) => [k, DATA.curve.y[i]]));
  const W = Math.max(box.clientWidth, 280), H = W < 600 ? 260 : 340, L = 48, R = 26, T = 10, B = 38;
  const shown = finalOrder().map((r) => r[0]).filter((k) => !hiddenLines.has(k));
  const values = shown.flatMap((k) => ys.get(k).filter((v) => v !== null));
  let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  if (high - low < 1) { low -= 10; high += 10; }
  const pad = (high - low) * 0.05;
  low -= pad; high += pad;
  const x0 = xs[0] > 1 ? 0 : xs[0], x1 = Math.max(xs[xs.length - 1], x0 + 1);
  const X = (v) => L + (v - x0) / (x1 - x0) * (W - L - R), Y = (v) => T + (high - v) / (high - low) * (H - T - B);
  const chart = svg("svg", { width: "100%", height: H, viewBox: `0 0 ${W} ${H}`, role: "img",
    "aria-label": "Elo after each match: " + finalOrder().slice(0, 12).map(([k, v]) => `${said(k)} ends at ${num(v, 0)}`).join(", ") });
  for (const t of niceTicks(low, high, 5)) {
    chart.append(svg("line", { class: "grid", x1: L, x2: W - R, y1: Y(t), y2: Y(t) }),
      svg("text", { x: L - 8, y: Y(t) + 4, "text-anchor": "end" }, num(t, 0)));
  }
  for (const t of niceTicks(x0, x1, W < 600 ? 4 : 8)) {
    if (t === Math.round(t)) chart.append(svg("text", { x: X(t), y: H - 18, "text-anchor": "middle" }, num(t, 0)));
  }
  chart.append(svg("text", { x: (L + W - R) / 2, y: H - 2, "text-anchor": "middle" }, "matches played"));
  for (const k of shown) {
    let d = "", pen = "M";
    ys.get(k).forEach((v, t) => { if (v !== null) { d += `${pen}${X(xs[t]).toFixed(1)} ${Y(v).toFixed(1)}`; pen = "L"; } });
    chart.append(svg("path", { d, fill: "none", stroke: lineColor(k), "stroke-width": 2, "stroke-linejoin": "round", "stroke-dasharray": dash(k) }));
  }
  const rule = svg("line", { y1: T, y2: H - B, stroke: "currentColor", "stroke-width": 1, "stroke-dasharray": "3 3", visibility: "hidden" });
  chart.append(rule);
  const tip = el("div", { class: "tip", hidden: true });
  chart.addEventListener("pointermove", (e) => {
    const r = chart.getBoundingClientRect(), want = x0 + (e.clientX - r.left - L) / (W - L - R) * (x1 - x0);
    let t = 0;
    xs.forEach((v, i) => { if (Math.abs(v - want) < Math.abs(xs[t] - want)) t = i; });
    const at = X(xs[t]);
    rule.setAttribute("x1", at); rule.setAttribute("x2", at); rule.setAttribute("visibility", "visible");
    const rows = shown.map((k) => [k, ys.get(k)[t]]).filter((row) => row[1] !== null).sort((a, b) => b[1] - a[1]).slice(0, 14);
    tip.replaceChildren(el("b", null, `after ${num(xs[t], 0)} matches`), ...rows.map(([k, v]) => {
      const spot = el("i");
      spot.style.background = lineColor(k);
      return el("div", null, el("span", null, spot, named(agent(k))), el("b", null, num(v, 0)));
    }));
    tip.hidden = false;
    tip.style.top = "14px";
    tip.style.left = (at > W / 2 ? Math.max(at - tip.offsetWidth - 12, 0) : at + 12) + "px";
  });
  chart.addEventListener("pointerleave", () => { tip.hidden = true; rule.setAttribute("visibility", "hidden"); });
  box.replaceChildren(chart, tip);
}

// -- matches ---------------------------------------------------------------------------

const PAGE = 20;
let page = 0, found = DATA.matches;
const seatColor = (seat) => (seat < 0 ? "var(--soft)" : `var(--s${seat % 6})`);
const seatName = (match, seat) => DATA.games[match.g].seats[seat] || `seat ${seat}`;

function best(match) {
  const top = Math.max(...match.p);
  return match.p.map((p, i) => (p === top ? i : -1)).filter((i) => i >= 0);
}
const even = (match) => match.p.length > 1 && best(match).length === match.p.length;
function result(match) {
  if (match.o !== undefined) return "forfeit";
  if (match.p.length < 2) return "played";
  return even(match) ? "draw" : "decided";
}

function dot(seat) {
  const node = el("i", { class: "dot", "aria-hidden": "true" });
  node.style.background = seatColor(seat);
  return node;
}

function choose(id, label, options) {
  return el("label", { for: id }, label, el("select", { id, onchange: () => filter() },
    ...options.map(([value, text]) => el("option", { value }, text))));
}

function filters() {
  const form = $("filters");
  if (!DATA.matches.length) {
    $("found").textContent = "No match is listed in this file.";
    return;
  }
  form.addEventListener("submit", (e) => e.preventDefault());
  const byName = DATA.agents.map((name, k) => [k, cut(name, 50)]).sort((a, b) => a[1].localeCompare(b[1]));
  form.append(choose("f-agent", "Agent", [["", "any"], ...byName]),
    choose("f-other", "and", [["", "anyone"], ...byName]),
    choose("f-game", "Game", [["", "any"], ...DATA.games.map((g, i) => [i, cut(g.label, 50)])]),
    choose("f-result", "Result", [["", "any"], ["decided", "decided"], ["draw", "drawn"], ["forfeit", "forfeited"], ["won", "won by the agent"], ["lost", "lost by the agent"]]));
  $("list").hidden = false;
}

function filter() {
  const [a, b, g, r] = ["f-agent", "f-other", "f-game", "f-result"].map((id) => $(id).value);
  found = DATA.matches.filter((m) => {
    if (a && !m.s.includes(+a)) return false;
    if (b && !(b === a ? m.s.filter((k) => k === +a).length > 1 : m.s.includes(+b))) return false;
    if (g && m.g !== +g) return false;
    if (r === "won" || r === "lost") {
      if (!a || even(m)) return false;
      return best(m).some((seat) => m.s[seat] === +a) === (r === "won");
    }
    return !r || result(m) === r;
  });
  page = 0;
  drawList();
}

function drawList() {
  if (!DATA.matches.length) return;
  const pages = Math.max(Math.ceil(found.length / PAGE), 1);
  const wonOrLost = ["won", "lost"].includes($("f-result").value) && !$("f-agent").value;
  $("found").textContent = wonOrLost ? "Choose the agent first." :
    found.length === 1 ? "1 match" : `${num(found.length, 0)} matches`;
  $("list").tBodies[0].replaceChildren(...found.slice(page * PAGE, page * PAGE + PAGE).map(listRow));
  const go = (to) => () => { page = to; drawList(); };
  $("pager").replaceChildren(...(pages < 2 ? [] : [
    el("button", { type: "button", disabled: page === 0, onclick: go(page - 1) }, "Previous"),
    el("span", { class: "muted" }, `page ${page + 1} of ${pages}`),
    el("button", { type: "button", disabled: page >= pages - 1, onclick: go(page + 1) }, "Next")]));
}

// Seats in a row, [first, count]: in large matches an agent's neighbouring seats of equal pay are one.
function runs(match) {
  const out = [];
  match.s.forEach((k, seat) => {
    const last = out.at(-1);
    const joins = last && match.s.length > 4 && match.s[last[0]] === k && match.p[last[0]] === match.p[seat];
    if (joins) last[1] += 1;
    else out.push([seat, 1]);
  });
  return out;
}

function listRow(match) {
  const top = even(match) ? [] : best(match);
  const sides = runs(match).map(([seat, count]) => {
    const who = named(agent(match.s[seat]));
    return el("span", { class: "side" }, dot(seat), top.includes(seat) ? el("b", null, who) : who,
      count > 1 ? el("span", { class: "pay" }, `×${count}`) : "", el("span", { class: "pay" }, signed(match.p[seat])));
  });
  const kind = result(match);
  const winners = [...new Set(top.map((seat) => said(match.s[seat])))].join(", ");
  const text = kind === "forfeit" ? `forfeit: ${match.f}` : kind === "draw" ? "draw" : kind === "played" ? "" : `${winners} won`;
  const button = match.r ? el("button", { type: "button", "aria-label": `Replay match ${match.n}`,
    onclick: () => { location.hash = `match=${match.n}&step=0`; } }, icon(PLAY), " Replay") :
    el("span", { class: "muted", title: match.m || "left out of this file" }, "–");
  return el("tr", { class: playing && playing.match === match ? "open" : null, "data-match": match.n },
    el("td", { class: "num" }, "#" + match.n), el("td", null, named(DATA.games[match.g].label)),
    el("td", null, el("div", { class: "sides" }, ...sides)),
    el("td", { class: kind === "forfeit" ? "alarm" : null }, text), el("td", null, button));
}

// -- replay ----------------------------------------------------------------------------

const PLAY = "M4 2.5v11l9-5.5z";
const icon = (d) => svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d }));
let playing = null, timer = null, unpacked = null, asText = false;

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

async function openMatch(number, step) {
  stop();
  const match = DATA.matches.find((m) => m.n === number);
  const box = $("replay");
  box.hidden = false;
  if (!match || !match.r) {
    playing = null;
    const why = !match ? `Match ${number} is not listed in this file.` :
      `Match ${number} cannot be replayed here: ${match.m || "it was left out of this file"}.`;
    box.replaceChildren(el("p", { class: "lost" }, why));
    reveal(box);
    return;
  }
  if (!playing || playing.match !== match) {
    unpacked = unpacked || unpack();
    let lines;
    try {
      lines = await unpacked;
    } catch (error) {
      box.replaceChildren(el("p", { class: "lost" }, error.message));
      return;
    }
    const [, note, steps] = JSON.parse(lines.get(number));
    playing = { match, note, steps, at: 0 };
    drawReplay();
    drawList();
    reveal(box);
  }
  goTo(step === "end" ? playing.steps.length - 1 : step, true);
}

function reveal(box) {
  box.scrollIntoView({ block: "start", behavior: "instant" });
  box.focus({ preventScroll: true });
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
    el("header", null, el("div", null, el("h3", null, `Match ${match.n}: ${cut(game.label)}`),
      el("p", null, `${cut(game.key, 120)} · chance seed ${match.seed} · ${steps.length - 1} steps`)),
      el("button", { type: "button", "aria-label": "Close the replay", onclick: closeReplay }, "Close")),
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
function closeReplay() {
  stop();
  playing = null;
  $("replay").hidden = true;
  history.replaceState(null, "", "#matches");
  drawList();
}

addEventListener("keydown", (e) => {
  if (!playing || e.altKey || e.ctrlKey || e.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) return;
  if (e.target.closest?.(".scroll")) return;
  const inside = $("replay").contains(e.target);
  const act = { ArrowLeft: () => goTo(playing.at - 1), ArrowRight: () => goTo(playing.at + 1),
    Home: inside && (() => goTo(0)), End: inside && (() => goTo(playing.steps.length - 1)),
    Escape: inside && closeReplay }[e.key];
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

// -- start -----------------------------------------------------------------------------

async function follow() {
  const found = /^#match=(\d+)(?:&step=(\d+|end))?$/.exec(location.hash);
  if (found) await openMatch(+found[1], found[2] === "end" ? "end" : +(found[2] || 0));
}

function marks() {
  const links = [...document.querySelectorAll(".bar a")];
  const watch = new IntersectionObserver((seen) => seen.forEach((one) => {
    if (one.isIntersecting) links.forEach((a) => a.classList.toggle("on", a.hash === "#" + one.target.id));
  }), { rootMargin: "-30% 0px -60% 0px" });
  document.querySelectorAll("main section").forEach((section) => watch.observe(section));
}

async function start() {
  document.body.classList.add("js");
  scopes();
  sortable();
  downloads();
  filters();
  drawList();
  setScope(0);
  curve();
  marks();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawHeat);
  addEventListener("hashchange", follow);
  await follow();
  document.body.dataset.ready = "1";
}
start();
