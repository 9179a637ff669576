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

// -- seats -----------------------------------------------------------------------------

const seatColor = (seat) => (seat < 0 ? "var(--soft)" : `var(--s${seat % 6})`);
const seatName = (match, seat) => DATA.games[match.g].seats[seat] || `seat ${seat}`;

function dot(seat) {
  const node = el("i", { class: "dot", "aria-hidden": "true" });
  node.style.background = seatColor(seat);
  return node;
}
