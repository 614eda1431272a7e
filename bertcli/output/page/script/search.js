// @ts-check
// Search for heads by label, by number (3.7) or by statistic (entropy < 0.5).

import { about, layerName } from "./data.js";
import { currentText } from "./state.js";

export const SYNTAX = "label (previous, next, self, delimiter, broad), layer (3), layer and head (3.7), or statistic (entropy < 0.5; also <=, > and >=).";
const COMPARISONS = {
  "<": (number, limit) => number < limit,
  "<=": (number, limit) => number <= limit,
  ">": (number, limit) => number > limit,
  ">=": (number, limit) => number >= limit,
};
const last = { text: null, find: null, heads: null };

/**
 * Return the heads that match the search, each as layer * heads + head, or null without a search.
 *
 * @returns {Set<number> | null}
 */
export function foundHeads(/** @type {import("./state.js").State} */ state) {
  const text = currentText(state);
  if (last.text !== text || last.find !== state.find) {
    Object.assign(last, { text, find: state.find, heads: searched(text, state.find.trim().toLowerCase()) });
  }
  return last.heads;
}

function searched(/** @type {import("./data.js").Text} */ text, /** @type {string} */ asked) {
  if (!asked) return null;
  const every = text.labels.map((_, at) => at);
  const comparison = asked.match(/^([a-z]+)\s*([<>]=?)\s*(\d*\.?\d+)$/);
  if (comparison) {
    const [, name, sign, limit] = comparison;
    const column = about.statistics.findIndex((statistic) => statistic.startsWith(name));
    if (column < 0) return new Set();
    return new Set(every.filter((at) => COMPARISONS[sign](text.statistics[at][column], Number(limit))));
  }
  const place = asked.match(/^(\d+)(?:[.,\s:]+(\d+)?)?$/);
  if (place) {
    const [, layer, head] = place;
    return new Set(every.filter((at) => layerName(Math.floor(at / about.heads)) === Number(layer) && (head === undefined || at % about.heads === Number(head))));
  }
  return new Set(every.filter((at) => text.labels[at]?.startsWith(asked)));
}
