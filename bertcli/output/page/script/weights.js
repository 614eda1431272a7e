// @ts-check
// The weights as they are shown: with the special tokens, or without them and normalised again.

import { about, headMatrix, RowMatrix } from "./data.js";

/** @typedef {import("./data.js").Text} Text */
/** @typedef {import("./data.js").Matrix} Matrix */
/** @typedef {import("./state.js").State} State */

// Above this share of the attention, special tokens are hidden in views that would show little else.
const TOO_MUCH = 0.6;
// The name of a special token, for pages whose texts do not say which tokens are special.
const SPECIAL = /^(\[(CLS|SEP)\]|<\/?s>)$/;

/** The special tokens, as the page names them. */
export const SPECIAL_NAMES = "[CLS] and [SEP]";

/** @type {WeakMap<Text, boolean[]>} */
const known = new WeakMap();

/** Return for each token whether the tokenizer added it, as [CLS] and [SEP]. */
export function specialTokens(/** @type {Text} */ text) {
  if (!known.has(text)) {
    known.set(
      text,
      text.tokens.map((token, position) => (text.spans ? text.spans[position] === null : SPECIAL.test(token))),
    );
  }
  return known.get(text);
}

/** Return the share of the attention of all heads that goes to [CLS] and [SEP]. */
export function specialShare(/** @type {Text} */ text) {
  const [cls, sep] = ["cls", "sep"].map((name) => about.statistics.indexOf(name));
  return text.statistics.reduce((sum, numbers) => sum + numbers[cls] + numbers[sep], 0) / text.statistics.length;
}

/** Return the mean share of the rows of a matrix that goes to special tokens. */
export function specialShareOf(/** @type {Text} */ text, /** @type {Matrix} */ matrix) {
  const special = specialTokens(text);
  let sum = 0;
  for (let query = 0; query < text.size; query++) {
    matrix.row(query).forEach((weight, key) => (sum += special[key] ? weight : 0));
  }
  return sum / text.size;
}

/** True if the view leaves out special tokens. share: The share of the weights of the view that goes to them. */
export function hidesSpecial(/** @type {State} */ { special, view }, /** @type {number} */ share) {
  if (special !== null) return special === "hide";
  return (view === "model" || view === "rollout") && share > TOO_MUCH;
}

/** A matrix without some keys. The weights of the others sum to 1 in each row, unless all of them are 0. */
export class Renormalised extends RowMatrix {
  constructor(/** @type {RowMatrix} */ matrix, /** @type {boolean[]} */ leftOut) {
    super(matrix.size);
    this.matrix = matrix;
    this.leftOut = leftOut;
    /** @type {number[]} */
    this.sums = new Array(matrix.size); // of the rows, once they are needed
  }

  /** Return the sum of the weights of a row that are not left out. */
  sumOf(/** @type {number} */ query) {
    const { matrix, leftOut } = this;
    return (this.sums[query] ??= matrix.row(query).reduce((sum, weight, key) => sum + (leftOut[key] ? 0 : weight), 0));
  }

  compute(/** @type {number} */ query) {
    const sum = this.sumOf(query);
    return this.matrix.row(query).map((weight, key) => (this.leftOut[key] || sum === 0 ? 0 : weight / sum));
  }

  precision(/** @type {number} */ query, weight = 0) {
    const sum = this.sumOf(query);
    return sum > 0 ? this.matrix.precision(query, weight * sum) / sum : 1;
  }
}

/** Return the precision of the mean of some matrices: what a mean of 0 is smaller than. */
export const meanPrecision = (/** @type {RowMatrix[]} */ matrices, /** @type {number} */ query) =>
  matrices.reduce((sum, matrix) => sum + matrix.precision(query), 0) / matrices.length;

/** Return the weights of a head as the view shows them. */
export function shownMatrix(
  /** @type {Text} */ text,
  layer,
  /** @type {number} */ head,
  /** @type {boolean} */ isHidden,
) {
  const matrix = headMatrix(layer, head);
  return isHidden ? new Renormalised(matrix, specialTokens(text)) : matrix;
}
