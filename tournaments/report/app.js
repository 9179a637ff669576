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

// -- a match of the list ----------------------------------------------------------------

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
    if (!await load(match)) return;
    drawList();
    reveal(box);
  }
  goTo(step === "end" ? playing.steps.length - 1 : step, true);
}

function reveal(box) {
  box.scrollIntoView({ block: "start", behavior: "instant" });
  box.focus({ preventScroll: true });
}

function closeReplay() {
  stop();
  playing = null;
  $("replay").hidden = true;
  history.replaceState(null, "", "#matches");
  drawList();
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
  onClose = closeReplay;
  setScope(0);
  curve();
  marks();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawHeat);
  addEventListener("hashchange", follow);
  await follow();
  document.body.dataset.ready = "1";
}
start();
