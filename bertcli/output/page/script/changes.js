// @ts-check
// The changes of all heads from one text to another: their distances, and the largest of them.

import { headName } from "./compared.js";
import { about, layerName } from "./data.js";
import { signed } from "./difference.js";
import { fill, make } from "./dom.js";
import { rankedItem } from "./findings.js";
import { share } from "./numbers.js";
import { nameAt } from "./slots.js";
import { isSpecialHidden, placeOfHead } from "./state.js";
import { change, now } from "./store.js";
import { labelOf } from "./tokens.js";

/**
 * @typedef {object} HeadChange How one head changes. Keeping the comparisons of all heads would need too much memory.
 * @property {number | null} distance Jensen-Shannon distance.
 * @property {string} words About the largest difference; empty without differences.
 * @property {number | null} largest The largest difference.
 */

const RANKED = 8;

/** @returns {HeadChange} */
export function changeOf(/** @type {import("./comparison.js").Comparison} */ comparison) {
  const [most] = comparison.largest(1);
  const where = most && [most.query, most.key].map((at) => nameAt(comparison, at)).join(" → ");
  const words = most ? `largest difference ${signed(most.difference)} (${where})` : "";
  return {
    distance: comparison.distance().mean, words, largest: most?.difference ?? null,
  };
}

export const distanceInWords = (/** @type {HeadChange} */ { distance }) =>
  distance === null ? "no aligned tokens" : `distance ${share(distance)}`;

/** Return a head's change in a line. */
export const changeInBrief = (/** @type {HeadChange} */ one) =>
  [distanceInWords(one), one.words].filter(Boolean).join(" · ");

/** Open a head in the matrix view, which compares the same texts. */
export function openChange(/** @type {number} */ layer, /** @type {number} */ head) {
  // The matrix view decides for itself whether it shows special tokens, but the numbers have to stay the same.
  change({ view: "matrix", layer, heads: new Set([head]), special: isSpecialHidden(now()) ? "hide" : "show" });
  window.scrollTo(0, 0);
}

/** Return the heads that change most, each as a button that opens it. */
function rankingOf(/** @type {HeadChange[]} */ changes) {
  const ranked = changes.map(({ distance }, at) => ({ at, distance })).filter(({ distance }) => distance !== null)
    .sort((one, other) => other.distance - one.distance).slice(0, RANKED);
  const most = ranked[0]?.distance || 1;
  return make("ol", { class: "differences" }, ...ranked.map(({ at, distance }) => {
    const { layer, head } = placeOfHead(at);
    const name = headName(layer, head);
    const properties = { title: `Compare ${name} in the matrix view`, onclick: () => openChange(layer, head) };
    return rankedItem(properties, [name], share(distance), distance / most);
  }));
}

/** Show under each thumbnail how much its head changes, as a share of the one that changes most. */
export function markChanges(/** @type {any[]} */ bars, /** @type {HeadChange[]} */ changes) {
  const most = Math.max(...changes.map(({ distance }) => distance ?? 0), 1e-9);
  bars.forEach((bar, at) => {
    bar.hidden = !changes[at];
    bar.firstElementChild.style.width = changes[at] ? `${(100 * (changes[at].distance ?? 0)) / most}%` : "0";
  });
}

/** @returns {import("./tables.js").Table} A row for each head. */
export function tableOfChanges(/** @type {import("./data.js").Text} */ text, /** @type {HeadChange[]} */ changes) {
  return {
    columns: ["layer", "head", "label", "distance", "largest_difference"],
    rows: changes.map(({ distance, largest }, at) => {
      const { layer, head } = placeOfHead(at);
      return [layerName(layer), head, labelOf(text, layer, head), distance, largest];
    }),
  };
}

/** Explain and rank the changes of all heads in an element. */
export function fillRanking(root, /** @type {HeadChange[]} */ changes, /** @type {string[]} */ [left, right]) {
  const heads = about.layers * about.heads;
  fill(
    root,
    make("h2", { text: "Heads that change most" }),
    changes.length < heads
      ? make("p", { class: "quiet", role: "status", text: `${changes.length} of ${heads} heads are compared so far.` })
      : null,
    make("p", {
      class: "quiet",
      text:
        `Jensen-Shannon distance between ${left} and ${right}: the mean over the aligned queries, each row scaled to ` +
        "sum to 1 over the aligned keys. The bar under a thumbnail shows it as a share of the largest.",
    }),
    rankingOf(changes),
  );
}
