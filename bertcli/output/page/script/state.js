// @ts-check
// The state of the page, as a pure function of the previous state and the requested changes.

import { about, textAt, textCount } from "./data.js";
import { zoomNamed, zoomWritten } from "./zoom.js";
import { openingHeads, openingLayer, openingToken } from "./opening.js";
import { hidesSpecial, specialShare, specialTokens } from "./weights.js";

/**
 * @typedef {object} Place A token on one side, or a cell if both are given.
 * @property {number | null} query
 * @property {number | null} key
 * @property {{query: number | null, key: number | null}} [slot] The same in a comparison, whose slots also hold tokens
 *   of the other text.
 *
 * @typedef {object} Compared What the head is compared with: another head, or the same head in another text.
 * @property {number | null} head As layer * heads + head.
 * @property {number | null} text
 *
 * @typedef {object} State Never modified: each change makes a new one.
 * @property {string} view
 * @property {number} text
 * @property {number} layer
 * @property {ReadonlySet<number>} heads The selected heads.
 * @property {number | null} token The query that is kept, by a click.
 * @property {number | null} key The key that is kept.
 * @property {Place | null} pointed What the pointer or the focus is on.
 * @property {string} filter Sentences of queries and keys: a name of FILTERS.
 * @property {number | null} least Minimum weight; lower weights are not shown. null: each view chooses.
 * @property {string} statistic
 * @property {number} through The last layer of a rollout.
 * @property {string} find The search for heads.
 * @property {import("./zoom.js").Zoom | null} zoom The part of a matrix that is shown; null for all of it.
 * @property {"root" | "linear" | null} curve How the colour follows the number. null: each view chooses.
 * @property {"head" | "global"} extent The strongest colour is the largest weight of the head, or of all heads.
 * @property {"matrix" | "lines"} drawing How thumbnails are drawn.
 * @property {Compared | null} compare
 * @property {"same" | "replaced"} pairs The tokens of two texts that are compared: the same ones, or also those
 *   that replace others.
 * @property {number | null} enlarged The head whose thumbnail is enlarged, as layer * heads + head.
 * @property {"show" | "hide" | null} special Special tokens are shown or hidden; null: each view decides.
 * @property {number} screen Changes whenever everything has to be drawn again, as for another theme or width.
 */

export const FILTERS = [
  { name: "all", title: "all" },
  { name: "aa", title: "A → A" },
  { name: "ab", title: "A → B" },
  { name: "ba", title: "B → A" },
  { name: "bb", title: "B → B" },
];

/** Return the number, moved into the range from 0 to end - 1. */
export const within = (/** @type {number} */ number, /** @type {number} */ end) =>
  Math.min(end - 1, Math.max(0, number));

export const everyHead = () => new Set(Array.from({ length: about.heads }, (_, head) => head));
export const soleHead = (/** @type {State} */ { heads }) => Math.min(...(heads.size ? heads : [0]));
export const chosenHeads = (/** @type {State} */ { heads }) => [...heads].sort((a, b) => a - b);
export const currentText = (/** @type {State} */ { text }) => textAt(text);

/** @type {Map<string, State>} */
const knownStarts = new Map();

/** Return the state that an empty address restores, or one with only a text and a filter. */
function startingState(text = 0, filter = "all") {
  const name = `${text} ${filter}`;
  if (!knownStarts.has(name)) knownStarts.set(name, computedStart(text, filter));
  return knownStarts.get(name);
}

/** @returns {State} */
function computedStart(/** @type {number} */ text, /** @type {string} */ filter) {
  const { head, ...start } = about.start;
  const layer = start.layer ?? (head === undefined ? openingLayer(textAt(0)) : 0);
  return Object.freeze({
    view: "heads",
    text: 0,
    layer,
    heads: head === undefined ? openingHeads(textAt(0), layer) : new Set([head]),
    token: openingToken(textAt(text), shownPositions(/** @type {State} */ ({ text, filter }), false).queries),
    key: null,
    pointed: null,
    filter: "all",
    least: null,
    statistic: "entropy",
    through: about.layers - 1,
    find: "",
    zoom: null,
    curve: null,
    extent: "head",
    drawing: "matrix",
    compare: null,
    pairs: "same",
    enlarged: null,
    special: null,
    screen: 0,
    ...start,
  });
}

/** @returns {"root" | "linear"} How the colours of the view follow its numbers. */
export const curveOf = (/** @type {State} */ { curve, view }) => curve ?? (view === "statistics" ? "linear" : "root");

/** True if special tokens are left out. Rollout decides for itself if the user has not, since it knows its weights. */
export const isSpecialHidden = (/** @type {State} */ state) => hidesSpecial(state, specialShare(currentText(state)));

/** Return the positions on each side that pass the sentence filter and are not left out as special. */
export function shownPositions(/** @type {State} */ state, isHidden = isSpecialHidden(state)) {
  const text = currentText(state);
  const special = specialTokens(text);
  const positions = text.tokens.map((_, position) => position).filter((position) => !(isHidden && special[position]));
  if (state.filter === "all" || !text.sentences.length) return { queries: positions, keys: positions };
  const of = (/** @type {string} */ letter) =>
    positions.filter((position) => text.sentences[position] === (letter === "b" ? 1 : 0));
  return { queries: of(state.filter[0]), keys: of(state.filter[1]) };
}

/** Return the place of a token: as a query if it is shown as one, else as a key; null if it is not shown. */
export function placeOfToken(/** @type {State} */ state, /** @type {number} */ position) {
  const { queries, keys } = shownPositions(state);
  if (queries.includes(position)) return { query: position, key: null };
  return keys.includes(position) ? { query: null, key: position } : null;
}

/** Return the token that is kept until another is. */
const firstToken = (/** @type {number} */ text, /** @type {string} */ filter) => startingState(text, filter).token;

/** Return the token or cell in focus: the one under the pointer, else the kept one, else null. */
export function focus(/** @type {State} */ { pointed, token, key }) {
  if (pointed) return pointed;
  return token === null && key === null ? null : { query: token, key };
}

/**
 * Return the next state. What is kept or pointed at never outlives the text or filter that shows it. The first token
 * of a text or filter gives way to that of the next one. If the text becomes the one that it is compared with, the two
 * change places.
 *
 * @param {State} state
 * @param {Partial<State>} changes
 * @returns {State}
 */
export function reduce(state, changes) {
  const next = { ...state, ...changes };
  if (next.text !== state.text) {
    const { size, sentences } = textAt(next.text);
    for (const side of ["token", "key"]) {
      if (!(side in changes) || !isBelow(next[side], size)) next[side] = null;
    }
    if (!("filter" in changes) || !sentences.length) next.filter = "all";
    if (!("token" in changes)) next.token = firstToken(next.text, next.filter);
    next.pointed = null;
    if (!("zoom" in changes)) next.zoom = null;
  }
  if (next.compare?.text === next.text) next.compare = "compare" in changes ? null : comparedText(state.text);
  if (textOf(next.compare) !== textOf(state.compare)) next.pointed = null;
  if (next.view !== state.view) {
    next.pointed = null;
    if (!("enlarged" in changes)) next.enlarged = null;
  }
  if (next.filter !== state.filter || next.special !== state.special) {
    next.pointed = null;
    if (!("zoom" in changes)) next.zoom = null;
    const { queries, keys } = shownPositions(next);
    const isFirst = !("token" in changes) && state.token === firstToken(state.text, state.filter);
    if (isFirst || (next.token !== null && !queries.includes(next.token))) {
      next.token = firstToken(next.text, next.filter);
    }
    if (!keys.includes(next.key)) next.key = null;
  }
  return Object.freeze(next);
}

const isBelow = (/** @type {number | null} */ number, /** @type {number} */ end) => number === null || number < end;

/** Return the query to show in a view of one query: the one in focus, else the first word; null without queries. */
export function queryOf(/** @type {State} */ state, /** @type {number[]} */ queries) {
  const query = focus(state)?.query ?? null;
  if (queries.includes(query)) return query;
  return openingToken(currentText(state), queries) ?? queries[0] ?? null;
}

/** Return the changes that keep this place, or that forget it if it is already kept. */
export function keeping(/** @type {State} */ state, /** @type {Place} */ { query, key }) {
  const isKept = state.token === query && state.key === key;
  return isKept ? { token: null, key: null } : { token: query, key };
}

// The address names what differs from the starting state.
const WRITTEN = [
  "view",
  "text",
  "layer",
  "heads",
  "token",
  "key",
  "filter",
  "least",
  "statistic",
  "through",
  "find",
  "special",
  "zoom",
  "curve",
  "extent",
  "drawing",
  "enlarged",
  "compare",
  "pairs",
];

function writtenOf(/** @type {State} */ state, /** @type {string} */ name) {
  if (name === "heads") return chosenHeads(state).join(",");
  if (name === "enlarged") return headWritten(state.enlarged);
  if (name === "compare") return comparedWritten(state.compare);
  return name === "zoom" ? zoomWritten(state.zoom) : state[name];
}

/** Return the part of the address after # that restores the state. */
export function addressOf(/** @type {State} */ state) {
  const start = startingState(state.text, state.filter);
  const found = new URLSearchParams();
  for (const name of WRITTEN) {
    const value = writtenOf(state, name);
    if (value !== writtenOf(start, name)) found.set(name, value ?? "");
  }
  return found.toString();
}

// The values of state that has only a few.
const CHOICES = {
  curve: ["root", "linear"],
  extent: ["head", "global"],
  drawing: ["matrix", "lines"],
  special: ["show", "hide"],
  pairs: ["same", "replaced"],
};

// The browser's Back undoes only changes to these. With others, such as each move of a slider, it would take too many
// steps.
const STEPS = ["view", "text", "layer", "through", "heads", "compare"];

/** Return the names of what makes the step from one state to the next. */
export function stepsBetween(/** @type {State} */ before, /** @type {State} */ after) {
  const names = STEPS.filter((name) => writtenOf(before, name) !== writtenOf(after, name));
  return (before.enlarged === null) === (after.enlarged === null) ? names : [...names, "enlarged"];
}

/**
 * Return the state that an address restores. Values that are not valid for this page are ignored.
 *
 * @param {string} address
 * @param {string[]} views The names of the views.
 */
export function stateAt(address, views) {
  const asked = new URLSearchParams(address);
  /** @type {any} */
  const changes = { text: wholeNumber(asked.get("text"), textCount()) ?? 0 };
  const { size, sentences } = textAt(changes.text);
  const take = (/** @type {string} */ name, value) => (value === null ? null : (changes[name] = value));
  take("layer", wholeNumber(asked.get("layer"), about.layers));
  take("through", wholeNumber(asked.get("through"), about.layers));
  take("token", wholeNumber(asked.get("token"), size));
  take("key", wholeNumber(asked.get("key"), size));
  if (asked.get("token") === "" || (changes.key !== undefined && changes.token === undefined)) changes.token = null;
  const heads = headsNamed(asked.get("heads") ?? "");
  if (heads.length || asked.get("heads") === "") changes.heads = new Set(heads);
  if (views.includes(asked.get("view"))) changes.view = asked.get("view");
  if (sentences.length && FILTERS.some(({ name }) => name === asked.get("filter"))) {
    changes.filter = asked.get("filter");
  }
  if (about.statistics.includes(asked.get("statistic"))) changes.statistic = asked.get("statistic");
  const least = Number(asked.get("least") || NaN);
  if (least >= 0 && least <= 1) changes.least = least;
  take("find", asked.get("find"));
  take("zoom", zoomNamed(asked.get("zoom"), size));
  take("enlarged", headNamed(asked.get("enlarged")));
  take("compare", comparedNamed(asked.get("compare")));
  for (const [name, choices] of Object.entries(CHOICES)) {
    if (choices.includes(asked.get(name))) changes[name] = asked.get(name);
  }
  return reduce(startingState(), changes);
}

/** Return the layer and head of a number that is layer * heads + head. */
export const placeOfHead = (/** @type {number} */ at) => ({
  layer: Math.floor(at / about.heads),
  head: at % about.heads,
});

const headWritten = (/** @type {number | null} */ at) => at === null ? null : Object.values(placeOfHead(at)).join(".");

function headNamed(/** @type {string | null} */ written) {
  const [layer, head] = (written ?? "")
    .split(".")
    .map((part, at) => wholeNumber(part, at ? about.heads : about.layers));
  return layer === null || head === null || head === undefined ? null : layer * about.heads + head;
}

/** @returns {Compared} */
export const comparedText = (/** @type {number} */ text) => Object.freeze({ head: null, text });

/** @returns {Compared} */
export const comparedHead = (/** @type {number} */ head) => Object.freeze({ head, text: null });

/** @returns {Compared | null} What the view compares with: in the model view, which shows all heads, only a text. */
export const comparedIn = (/** @type {State} */ { view, compare }) =>
  view === "model" && compare?.text === null ? null : compare;

const textOf = (/** @type {Compared | null} */ compared) => compared?.text ?? null;

const comparedWritten = (/** @type {Compared | null} */ compared) =>
  compared && (compared.text === null ? headWritten(compared.head) : `text.${compared.text}`);

/** @returns {Compared | null} */
function comparedNamed(/** @type {string | null} */ written) {
  const text = wholeNumber(written?.match(/^text\.(.*)$/)?.[1] ?? null, textCount());
  if (text !== null) return comparedText(text);
  const head = headNamed(written);
  return head === null ? null : comparedHead(head);
}

function headsNamed(/** @type {string} */ list) {
  return list.split(",").map((part) => wholeNumber(part, about.heads)).filter((head) => head !== null);
}

function wholeNumber(/** @type {string | null} */ written, /** @type {number} */ end) {
  return written !== null && /^\d+$/.test(written) && Number(written) < end ? Number(written) : null;
}
