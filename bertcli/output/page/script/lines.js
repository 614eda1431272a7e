// @ts-check
// Which lines of the head view are drawn.

import { largestIn } from "./scale.js";

/** @typedef {import("./data.js").RowMatrix} Matrix */
/** @typedef {{head: number, query: number, key: number, weight: number}} Line */

const LINES_PER_TOKEN = 5; // with the automatic minimum
const MOST_LINES = 3000;
const MOST_OF_ONE = 160; // lines for a single token; its cells show all of its weights
const LEAST_OF_ONE = 0.02; // of the largest weight of the token
const LEAST = 1e-6; // lower weights are never drawn
const BINS = 4096; // of the roots of weights
const FINE_BINS = 1024; // within one bin

export class Lines {
  /**
   * @param {number[]} heads
   * @param {Matrix[]} matrices One for each head.
   * @param {{queries: number[], keys: number[]}} positions
   * @param {number | null} asked The minimum weight. null: keep about five lines a token.
   */
  constructor(heads, matrices, positions, asked) {
    this.heads = heads;
    this.matrices = matrices;
    this.positions = positions;
    this.asked = asked;
    /** The minimum weight of the lines of all tokens. */
    this.least = asked ?? this.cutFor(LINES_PER_TOKEN * positions.queries.length);
    const lowest = Math.max(this.least, LEAST);
    /** All lines to draw, weakest first. */
    this.drawn =
      this.collect(lowest, MOST_LINES) ??
      this.collect(Math.max(lowest, this.cutFor(MOST_LINES)), Infinity).slice(-MOST_LINES);
    this.total = heads.length * positions.queries.length * positions.keys.length;
    this.hidden = this.total - this.drawn.length;
  }

  /** Return a minimum that keeps about this number of weights. It keeps more only if the largest weights are alike. */
  cutFor(/** @type {number} */ count) {
    const coarse = this.histogram(0, 1, BINS);
    const [bin, above] = cutOf(coarse, count);
    if (bin === 0) return 0;
    const low = (bin - 1) / BINS;
    const [fine] = cutOf(this.histogram(low, bin / BINS, FINE_BINS), count - above, above === 0);
    return (low + fine / FINE_BINS / BINS) ** 2;
  }

  /** Count the weights whose roots are within the bounds; the last bin holds those at the upper bound too. */
  histogram(/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ bins) {
    const counts = new Uint32Array(bins);
    const { queries, keys } = this.positions;
    const scale = bins / (high - low);
    for (const matrix of this.matrices) {
      for (const query of queries) {
        const weights = matrix.row(query);
        for (const key of keys) {
          const bin = Math.floor((Math.sqrt(weights[key]) - low) * scale);
          if (bin >= 0 && bin < bins) counts[bin] += 1;
          else if (bin === bins && high === 1) counts[bins - 1] += 1;
        }
      }
    }
    return counts;
  }

  /** Return the lines with at least this weight, weakest first; null if there are more than this number. */
  collect(/** @type {number} */ least, /** @type {number} */ most) {
    /** @type {Line[]} */
    const lines = [];
    const { queries, keys } = this.positions;
    for (const [at, matrix] of this.matrices.entries()) {
      const head = this.heads[at];
      for (const query of queries) {
        const weights = matrix.row(query);
        for (const key of keys) if (weights[key] >= least) lines.push({ head, query, key, weight: weights[key] });
        if (lines.length > most) return null;
      }
    }
    return lines.sort(byWeight);
  }

  /**
   * Return the lines of one token. The automatic minimum does not apply to them.
   *
   * @param {"query" | "key"} side
   * @param {number} position
   */
  of(side, position) {
    return new TokenLines(this, side, position);
  }

  /** Return the attention that each key receives, summed over queries and heads. */
  received() {
    const { queries, keys } = this.positions;
    const sums = new Float64Array(keys.length);
    for (const matrix of this.matrices) {
      for (const query of queries) {
        const weights = matrix.row(query);
        keys.forEach((key, place) => (sums[place] += weights[key]));
      }
    }
    return sums;
  }

  /** Return the largest weight of all tokens, or of one. */
  largest(/** @type {"query" | "key" | null} */ side, /** @type {number | null} */ position) {
    const rows = {
      queries: side === "query" ? [position] : this.positions.queries,
      keys: side === "key" ? [position] : this.positions.keys,
    };
    return Math.max(0, ...this.matrices.map((matrix) => largestIn(matrix, rows)));
  }
}

/** The lines of one token. Their weights are numbers in one array, since a long text has thousands at every move. */
export class TokenLines {
  constructor(/** @type {Lines} */ lines, /** @type {"query" | "key"} */ side, /** @type {number} */ position) {
    this.heads = lines.heads;
    this.side = side;
    this.position = position;
    this.others = side === "query" ? lines.positions.keys : lines.positions.queries;
    const least = Math.max(lines.asked ?? 0, LEAST);
    const { others } = this;
    /** heads x others; 0 where there is no line. */
    this.weights = new Float32Array(this.heads.length * others.length);
    this.most = 0;
    lines.matrices.forEach((matrix, at) => {
      for (let place = 0; place < others.length; place++) {
        const weight = side === "query" ? matrix.at(position, others[place]) : matrix.at(others[place], position);
        if (weight < least) continue;
        this.weights[at * others.length + place] = weight;
        if (weight > this.most) this.most = weight;
      }
    });
  }

  /** @returns {Line[]} The lines that can be told apart, weakest first. */
  strongest() {
    const least = LEAST_OF_ONE * this.most;
    const found = this.weights.filter((weight) => weight > 0 && weight >= least).sort();
    return this.from(Math.max(least, found.at(-MOST_OF_ONE) ?? 0)).slice(-MOST_OF_ONE);
  }

  /** @returns {Line[]} All lines, weakest first. */
  all() {
    return this.from(0);
  }

  /** @returns {Line[]} The lines with at least this weight, weakest first. */
  from(/** @type {number} */ least) {
    const { others, side, position } = this;
    /** @type {Line[]} */
    const lines = [];
    this.weights.forEach((weight, at) => {
      if (weight === 0 || weight < least) return;
      const other = others[at % others.length];
      const [query, key] = side === "query" ? [position, other] : [other, position];
      lines.push({ head: this.heads[Math.floor(at / others.length)], query, key, weight });
    });
    return lines.sort(byWeight);
  }
}

const byWeight = (/** @type {Line} */ a, /** @type {Line} */ b) => a.weight - b.weight;

/**
 * Return the lowest bin of a histogram such that it and the bins above it hold at most this number of weights.
 *
 * @param {Uint32Array} counts
 * @param {number} count
 * @param {boolean} isOneAtLeast Take at least the highest bin that is not empty, even if it holds more.
 * @returns {[number, number]} The bin, and the number of weights in it and above it.
 */
function cutOf(counts, count, isOneAtLeast = false) {
  let sum = 0;
  let bin = counts.length;
  while (bin > 0 && (sum + counts[bin - 1] <= count || (isOneAtLeast && sum === 0))) sum += counts[--bin];
  return [bin, sum];
}
