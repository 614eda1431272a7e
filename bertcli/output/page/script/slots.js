// @ts-check
// The slots of aligned texts: their names, and their relation to the state.

import { positionOn } from "./alignment.js";
import { currentSlots } from "./compared.js";
import { make } from "./dom.js";
import { focus, keeping } from "./state.js";
import { now } from "./store.js";
import { spelt, visible } from "./tokens.js";

/**
 * @typedef {import("./alignment.js").Slot} Slot
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Place} Place
 * @typedef {import("./comparison.js").Comparison} Comparison
 */

const MARK = "≠"; // of tokens that are not the same in both texts

/** @type {import("./panel.js").Coordinates} Rows and columns are slots; the state has positions in the left text. */
export const SLOTS = {
  placeIn(state) {
    const place = focus(state);
    if (!place || place.slot) return place?.slot ?? null;
    const slotOf = (/** @type {number | null} */ position) =>
      position === null ? null : slotAt(currentSlots(state), position);
    return { query: slotOf(place.query), key: slotOf(place.key) };
  },
  zoomIn(state) {
    if (!state.zoom) return null;
    const range = (/** @type {[number, number]} */ [first, last]) =>
      /** @type {[number, number]} */ ([slotAt(currentSlots(state), first), slotAt(currentSlots(state), last)]);
    return { queries: range(state.zoom.queries), keys: range(state.zoom.keys) };
  },
  pointing: (place) => ({ pointed: place && { ...leftOf(place), slot: place } }),
  keeping(place) {
    const left = leftOf(place);
    return left.query === null && left.key === null ? {} : keeping(now(), left);
  },
  zooming(zoom) {
    if (!zoom) return { zoom };
    const [queries, keys] = [positionsIn(zoom.queries), positionsIn(zoom.keys)];
    return queries && keys ? { zoom: { queries, keys } } : {};
  },
};

const slotAt = (/** @type {Slot[]} */ slots, /** @type {number} */ position) =>
  slots.findIndex(({ left }) => left === position);

/** @returns {Place} */
function leftOf(/** @type {Place} */ { query, key }) {
  const slots = currentSlots(now());
  return { query: slots[query]?.left ?? null, key: slots[key]?.left ?? null };
}

/** @returns {[number, number] | null} The first and the last left position in a range of slots; null without any. */
function positionsIn(/** @type {[number, number]} */ [first, last]) {
  const found = currentSlots(now()).slice(first, last + 1).map(({ left }) => left).filter((left) => left !== null);
  return found.length ? [found[0], found.at(-1)] : null;
}

/** Return the token that one text has in a slot, or null. */
function tokenOn(/** @type {Comparison} */ { slots, sides }, /** @type {number} */ at, /** @type {number} */ side) {
  const position = positionOn(slots[at], side);
  return position === null ? null : visible(sides[side].text.tokens[position]);
}

/** Return the tokens of a slot: one if both texts have it, else those of each text. */
function tokensAt(/** @type {Comparison} */ comparison, /** @type {number} */ at) {
  const sides = comparison.slots[at].isSame ? [0] : [0, 1];
  return sides.map((side) => tokenOn(comparison, at, side) ?? "–");
}

/** Return a slot as text. */
export const nameAt = (/** @type {Comparison} */ comparison, /** @type {number} */ at) =>
  tokensAt(comparison, at).join(` ${MARK} `);

/** Return the elements of a slot for use within a sentence: its tokens and their positions. */
export function speltAt(/** @type {Comparison} */ comparison, /** @type {number} */ at) {
  const { left, right } = comparison.slots[at];
  const tokens = tokensAt(comparison, at).flatMap((token, place) => [
    place ? ` ${MARK} ` : "",
    spelt(token, { class: "name" }),
  ]);
  return [...tokens, make("span", { class: "place", text: left === right ? left : `${left ?? "–"}/${right ?? "–"}` })];
}

/** @returns {import("./cells.js").Picture} All differences. */
export function pictureOfDifference(
  /** @type {Comparison} */ comparison,
  /** @type {import("./cells.js").Colours} */ shading,
) {
  const { either, both, difference } = comparison;
  const aligned = new Set([...both.queries, ...both.keys]);
  const hatched = new Set([...either.queries, ...either.keys].filter((at) => !aligned.has(at)));
  return { text: namesOf(comparison, null), rows: either, matrix: difference, shading, hatched };
}

/** @returns {import("./cells.js").Names} The labels of one side, or of the differences for side null. */
export function namesOf(/** @type {Comparison} */ comparison, /** @type {0 | 1 | null} */ side) {
  const { slots } = comparison;
  const numbers = slots.map((slot) => positionOn(slot, side ?? 0) ?? "–");
  if (side === null) return { tokens: slots.map((_, at) => nameAt(comparison, at)), numbers };
  const tokens = slots.map(({ isSame }, at) => {
    const token = tokenOn(comparison, at, side);
    if (token === null) return "";
    return isSame ? token : `${MARK} ${token}`;
  });
  return { tokens, numbers };
}
