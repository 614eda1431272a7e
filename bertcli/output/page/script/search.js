// @ts-check
// Search for heads by label, by number (L3H7, 3.7, layer 3) or by statistic (entropy < 0.5), and for tokens.

import { about, layerName } from "./data.js";
import { currentText, placeOfHead } from "./state.js";

/** @typedef {import("./data.js").Text} Text */
/** @typedef {import("./state.js").State} State */

export const SYNTAX =
  "label (previous, next, self, delimiter, broad), layer (3, layer 3), layer and head (3.7, 3-7, L3H7), " +
  "statistic (entropy < 0.5; also <=, > and >=), or token (cat).";
const COMPARISONS = {
  "<": (number, limit) => number < limit,
  "<=": (number, limit) => number <= limit,
  ">": (number, limit) => number > limit,
  ">=": (number, limit) => number >= limit,
};
// Layer alone, or with a head: 3, L3, layer 3, 3.7, 3-7, L3H7, layer 3, head 7.
const PLACE = /^(?:l|layer)?\s*(\d+)(?:(?:[.,:\s-]+(?:h|head)?|h|head)\s*(\d+)?)?$/;
const HEAD = /^(?:h|head)\s*(\d+)$/;

/**
 * @typedef {object} Found
 * @property {Set<number> | null} heads Each as layer * heads + head, in the order of the results. null: all.
 * @property {number[]} tokens Positions.
 * @property {string | null} statistic The one that the search compares.
 */

/** @type {{text: Text | null, find: string | null, found: Found}} */
const last = { text: null, find: null, found: { heads: null, tokens: [], statistic: null } };

/** Return what a search finds. */
export function found(/** @type {State} */ state) {
  const text = currentText(state);
  if (last.text !== text || last.find !== state.find) {
    Object.assign(last, { text, find: state.find, found: searched(text, folded(state.find.trim())) });
  }
  return last.found;
}

/** Return the heads that match the search, or null without a search for heads. */
export const foundHeads = (/** @type {State} */ state) => found(state).heads;

/** @returns {Found} */
function searched(/** @type {Text} */ text, /** @type {string} */ asked) {
  if (!asked) return { heads: null, tokens: [], statistic: null };
  const comparison = asked.match(/^([a-z]+)\s*([<>]=?)\s*(\d*\.?\d+)$/);
  if (comparison) return headsByStatistic(text, comparison[1], comparison[2], Number(comparison[3]));
  const tokens = tokensLike(text, asked);
  const heads = headsLike(text, asked);
  return { heads: heads.size || !tokens.length ? heads : null, tokens, statistic: null };
}

/** @returns {Found} The heads in the order of the statistic: lowest first for < and <=, else highest first. */
function headsByStatistic(
  /** @type {Text} */ text,
  /** @type {string} */ name,
  /** @type {string} */ sign,
  /** @type {number} */ limit,
) {
  const column = about.statistics.findIndex((statistic) => statistic.startsWith(name));
  if (column < 0) return { heads: new Set(), tokens: [], statistic: null };
  const numberOf = (/** @type {number} */ at) => text.statistics[at][column];
  const heads = text.statistics.map((_, at) => at).filter((at) => COMPARISONS[sign](numberOf(at), limit));
  heads.sort((a, b) => (sign.startsWith("<") ? 1 : -1) * (numberOf(a) - numberOf(b)) || a - b);
  return { heads: new Set(heads), tokens: [], statistic: about.statistics[column] };
}

/** @returns {Set<number>} */
function headsLike(/** @type {Text} */ text, /** @type {string} */ asked) {
  const headsWhere = (/** @type {(place: {layer: number, head: number}, at: number) => boolean} */ isWanted) =>
    new Set(text.labels.map((_, at) => at).filter((at) => isWanted(placeOfHead(at), at)));
  const [, layer, headOfLayer] = asked.match(PLACE) ?? [];
  if (layer) {
    const isWanted = (/** @type {number} */ head) => headOfLayer === undefined || head === Number(headOfLayer);
    return headsWhere((place) => layerName(place.layer) === Number(layer) && isWanted(place.head));
  }
  const [, head] = asked.match(HEAD) ?? [];
  if (head) return headsWhere((place) => place.head === Number(head));
  return headsWhere((_, at) => text.labels[at]?.startsWith(asked));
}

/** Return a text without case and accents, so that cafe finds Café. */
const folded = (/** @type {string} */ text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Return the tokens of which one spelling begins with these characters. Those that are spelled so come first. */
function tokensLike(/** @type {Text} */ text, /** @type {string} */ asked) {
  const spellings = text.tokens.map((_, position) => spellingsAt(text, position));
  const whole = [];
  const others = [];
  spellings.forEach((forms, position) => {
    if (forms.includes(asked)) whole.push(position);
    else if (forms.some((form) => form.startsWith(asked))) others.push(position);
  });
  return [...whole, ...others];
}

/** Return the spellings at a token: the token itself, the word that it begins, and its part of the text. */
function spellingsAt(/** @type {Text} */ text, /** @type {number} */ position) {
  const { tokens, spans } = text;
  const token = folded(tokens[position]);
  const forms = [token, token.replace(/^##|^[▁Ġ]/, "")];
  let word = token;
  for (let next = position + 1; tokens[next]?.startsWith("##"); next++) word += folded(tokens[next].slice(2));
  if (!token.startsWith("##")) forms.push(word);
  const span = spans?.[position];
  const sentence = text.sentences[position] === 1 ? text.pair : text.text;
  if (span) forms.push(folded(sentence.slice(span[0], span[1])));
  return forms;
}
