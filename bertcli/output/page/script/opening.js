// @ts-check
// The first view of the page: a layer, its most telling heads, and a token.

import { about } from "./data.js";

/** @typedef {import("./data.js").Text} Text */

const PATTERNS = ["previous", "next", "self"]; // labels of heads that look from word to word
const HEADS = 4; // fill up to this number with heads without a label
const FIRST_WORDS = 12; // of which one is chosen

/** Return the layer with the most heads that look from word to word, the lowest one if there are several. */
export function openingLayer(/** @type {Text} */ text) {
  const counts = Array.from({ length: about.layers }, (_, layer) =>
    labelsOf(text, layer).filter((label) => PATTERNS.includes(label)).length);
  return counts.indexOf(Math.max(...counts));
}

/**
 * Return the heads of a layer that look from word to word, and the most confident ones without a label. If every head
 * looks at delimiters or broadly, return all.
 *
 * @returns {Set<number>}
 */
export function openingHeads(/** @type {Text} */ text, /** @type {number} */ layer) {
  const labels = labelsOf(text, layer);
  const confidence = about.statistics.indexOf("confidence");
  const confidenceOf = (/** @type {number} */ head) => text.statistics[layer * about.heads + head][confidence];
  const heads = labels.map((_, head) => head);
  const patterns = heads.filter((head) => PATTERNS.includes(labels[head]));
  const others = heads.filter((head) => labels[head] === null).sort((a, b) => confidenceOf(b) - confidenceOf(a));
  const found = [...patterns, ...others.slice(0, Math.max(0, HEADS - patterns.length))];
  return new Set(found.length ? found.sort((a, b) => a - b) : heads);
}

const labelsOf = (/** @type {Text} */ text, /** @type {number} */ layer) =>
  text.labels.slice(layer * about.heads, (layer + 1) * about.heads);

/**
 * Return the rarest of the first words, since words such as "the" recur. Return the first one if there are several, and
 * null if no token is a word.
 *
 * @param {Text} text
 * @param {number[]} positions The tokens to choose from.
 */
export function openingToken(text, positions) {
  const first = [];
  for (let at = 0; at < positions.length && first.length < FIRST_WORDS; at++) {
    if (isWord(text.tokens[positions[at]])) first.push(positions[at]);
  }
  if (!first.length) return null;
  const counts = first.map((position) => text.tokens.filter((token) => token === text.tokens[position]).length);
  return first[counts.indexOf(Math.min(...counts))];
}

/** True if a token is neither special, nor the continuation of a word, nor punctuation. */
const isWord = (/** @type {string} */ token) =>
  !/^(\[.*\]|<.*>|##.*)$/u.test(token) && /[\p{L}\p{N}]/u.test(token);
