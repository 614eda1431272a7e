// @ts-check
// The two heads, or two texts, that the state compares.

import { aligned, identity } from "./alignment.js";
import { Comparison } from "./comparison.js";
import { layerName, layerOf, textAt } from "./data.js";
import { currentText, isSpecialHidden, placeOfHead, shownPositions, soleHead } from "./state.js";
import { shownMatrix } from "./weights.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./data.js").Text} Text
 * @typedef {{text: Text, layer: number, head: number}} Chosen A head in a text.
 */

/** Return a head in the words of the search: L3H7. */
export const headName = (/** @type {number} */ layer, /** @type {number} */ head) => `L${layerName(layer)}H${head}`;

export const textName = (/** @type {number} */ number) => `text ${number + 1}`;

/** @returns {Chosen[]} The two heads that are compared. */
export function chosenPair(/** @type {State} */ state) {
  const own = { text: currentText(state), layer: state.layer, head: soleHead(state) };
  const { head, text } = state.compare;
  return [own, text === null ? { ...own, ...placeOfHead(head) } : { ...own, text: textAt(text) }];
}

const last = { name: "", slots: identity(0) };

/** Return the slots that the state compares: those of two texts, or of one. */
export function currentSlots(/** @type {State} */ state) {
  const [left, right] = [currentText(state), textAt(state.compare?.text ?? state.text)];
  const name = [left.number, right.number, state.pairs].join();
  if (last.name !== name) {
    const slots = left === right ? identity(left.size) : aligned(left.tokens, right.tokens, state.pairs === "replaced");
    Object.assign(last, { name, slots });
  }
  return last.slots;
}

/**
 * Return the comparison of two heads.
 *
 * @param {State} state Its filter and its choice of special tokens apply to both texts.
 * @param {Chosen[]} pair
 */
export async function comparisonOf(state, [left, right]) {
  const isHidden = isSpecialHidden(state);
  const isOfTexts = left.text !== right.text;
  const sides = await Promise.all([left, right].map(async ({ text, layer, head }) => ({
    name: isOfTexts ? textName(text.number) : headName(layer, head),
    text, rows: shownPositions({ ...state, text: text.number }, isHidden),
    matrix: shownMatrix(text, await layerOf(text, layer), head, isHidden),
  })));
  return new Comparison(currentSlots(state), sides[0], sides[1]);
}
