// @ts-check
// The statistics of heads: as bertcli computes them for all tokens, or computed here from the weights without special
// tokens. docs/attn.md defines them.

import { about, layerOf } from "./data.js";
import { shownMatrix, specialTokens } from "./weights.js";

/**
 * @typedef {import("./data.js").Text} Text
 * @typedef {import("./data.js").RowMatrix} RowMatrix
 * @typedef {(number | null)[]} Numbers The statistics of a head, in the order of about.statistics. null: there is none.
 */

/** The statistics that are about special tokens alone. */
export const ABOUT_SPECIAL = ["cls", "sep"];

// The mark that vocabularies put before a piece or a word.
const MARK = /^(##|Ġ|▁)/u;
const isPunctuation = (/** @type {string} */ token) => /^\p{P}+$/u.test(token.replace(MARK, ""));

/** @type {WeakMap<Text, Promise<Numbers[]>>} */
const computed = new WeakMap();

/**
 * Return the statistics of all heads without special tokens, by layer * heads + head. The weights of each row are
 * scaled to sum to 1 over the other tokens.
 *
 * @returns {Promise<Numbers[]>}
 */
export function statisticsWithoutSpecial(/** @type {Text} */ text) {
  if (!computed.has(text)) computed.set(text, computeAll(text));
  return computed.get(text);
}

async function computeAll(/** @type {Text} */ text) {
  const special = specialTokens(text);
  const positions = text.tokens.map((_, position) => position).filter((position) => !special[position]);
  const punctuation = new Set(positions.filter((position) => isPunctuation(text.tokens[position])));
  const found = [];
  for (let layer = 0; layer < about.layers; layer++) {
    const arrays = await layerOf(text, layer);
    for (let head = 0; head < about.heads; head++) {
      const values = meansOf(shownMatrix(text, arrays, head, true), positions, punctuation);
      found.push(about.statistics.map((name) => values[name] ?? null));
    }
    await new Promise((done) => setTimeout(done)); // so that the page stays responsive
  }
  return found;
}

/**
 * Return the statistics of a head by name: the means over the queries. For the previous and the next token, these are
 * the queries that have such a neighbour. Queries without any weight are left out. A statistic without any query is
 * null.
 *
 * @param {RowMatrix} matrix Without special tokens.
 * @param {number[]} positions The queries and keys.
 * @param {ReadonlySet<number>} punctuation The positions of punctuation.
 * @returns {Record<string, number | null>}
 */
function meansOf(matrix, positions, punctuation) {
  const sums = { entropy: 0, self: 0, punctuation: 0, distance: 0, confidence: 0 };
  /** @type {Record<string, number[]>} */
  const neighbours = { previous: [], next: [] };
  const shown = new Set(positions);
  let count = 0;
  for (const query of positions) {
    const weights = matrix.row(query);
    let most = 0;
    for (const key of positions) {
      const weight = weights[key];
      if (weight === 0) continue;
      sums.entropy -= weight * Math.log(weight);
      sums.distance += weight * Math.abs(query - key);
      if (punctuation.has(key)) sums.punctuation += weight;
      if (weight > most) most = weight;
    }
    if (most === 0) continue; // all of its weights are below the rounding, so they are not known
    count += 1;
    sums.confidence += most;
    sums.self += weights[query];
    if (shown.has(query - 1)) neighbours.previous.push(weights[query - 1]);
    if (shown.has(query + 1)) neighbours.next.push(weights[query + 1]);
  }
  const means = Object.entries(sums).map(([name, sum]) => [name, count ? sum / count : null]);
  return { ...Object.fromEntries(means), previous: mean(neighbours.previous), next: mean(neighbours.next) };
}

const mean = (/** @type {number[]} */ numbers) =>
  numbers.length ? numbers.reduce((sum, number) => sum + number, 0) / numbers.length : null;
