// @ts-check
// What two matrices of weights have in common, over the slots of aligned texts.

/**
 * @typedef {import("./alignment.js").Slot} Slot
 * @typedef {import("./cells.js").Weights} Weights
 * @typedef {import("./zoom.js").Rows} Rows
 *
 * @typedef {object} Side One of the two.
 * @property {string} name A short name, such as L3H7 or text 2.
 * @property {import("./data.js").Text} text
 * @property {Weights} matrix
 * @property {Rows} rows The positions that are shown.
 *
 * @typedef {object} Distance
 * @property {number | null} mean Over the queries; null without any.
 * @property {number} queries
 * @property {number[]} shares On the left and on the right, the mean share of the weights of the shown keys that is on
 *   the keys with differences.
 *
 * @typedef {{query: number, key: number, difference: number}} Change Of a weight, by its slots.
 */

export const FARTHEST = Math.sqrt(Math.LN2); // the largest Jensen-Shannon distance

/** A matrix whose rows and columns are slots. Where the text has no token, weights are NaN. */
class SlotMatrix {
  constructor(/** @type {Weights} */ matrix, /** @type {(number | null)[]} */ positions) {
    this.matrix = matrix;
    this.positions = Int32Array.from(positions, (position) => position ?? -1);
    this.size = positions.length;
    /** @type {Float32Array[]} */
    this.rows = new Array(this.size);
  }

  row(/** @type {number} */ slot) {
    return (this.rows[slot] ??= this.read(this.positions[slot]));
  }

  at(/** @type {number} */ query, /** @type {number} */ key) {
    return this.row(query)[key];
  }

  read(/** @type {number} */ position) {
    const { positions, size } = this;
    const found = new Float32Array(size).fill(NaN);
    if (position < 0) return found;
    const weights = this.matrix.row(position);
    for (let slot = 0; slot < size; slot++) if (positions[slot] >= 0) found[slot] = weights[positions[slot]];
    return found;
  }
}

/** The right weights minus the left ones, NaN for slots that are not aligned. */
class Difference {
  constructor(/** @type {Weights} */ left, /** @type {Weights} */ right, /** @type {Rows} */ { queries, keys }) {
    this.left = left;
    this.right = right;
    this.size = left.size;
    this.queries = new Set(queries);
    this.keys = keys;
    /** @type {Float32Array[]} */
    this.rows = new Array(this.size);
  }

  row(/** @type {number} */ slot) {
    return (this.rows[slot] ??= this.computed(slot));
  }

  at(/** @type {number} */ query, /** @type {number} */ key) {
    return this.row(query)[key];
  }

  computed(/** @type {number} */ slot) {
    const differences = new Float32Array(this.size).fill(NaN);
    if (!this.queries.has(slot)) return differences;
    const [left, right] = [this.left.row(slot), this.right.row(slot)];
    for (const key of this.keys) differences[key] = right[key] - left[key];
    return differences;
  }
}

export class Comparison {
  constructor(/** @type {Slot[]} */ slots, /** @type {Side} */ left, /** @type {Side} */ right) {
    this.slots = slots;
    this.sides = [left, right];
    this.matrices = [new SlotMatrix(left.matrix, slots.map((slot) => slot.left)), new SlotMatrix(right.matrix, slots.map((slot) => slot.right))];
    const shown = { queries: [new Set(left.rows.queries), new Set(right.rows.queries)], keys: [new Set(left.rows.keys), new Set(right.rows.keys)] };
    const slotsWhere = (/** @type {(slot: Slot) => boolean} */ isWanted) => slots.map((_, at) => at).filter((at) => isWanted(slots[at]));
    const rowsWhere = (/** @type {(slot: Slot, shown: Set<number>[]) => boolean} */ isWanted) => ({
      queries: slotsWhere((slot) => isWanted(slot, shown.queries)), keys: slotsWhere((slot) => isWanted(slot, shown.keys)),
    });
    /** The rows and columns of the left and of the right matrix. */
    this.rows = [rowsWhere((slot, [own]) => own.has(slot.left)), rowsWhere((slot, [, own]) => own.has(slot.right))];
    /** All rows and columns. */
    this.either = rowsWhere((slot, [one, other]) => one.has(slot.left) || other.has(slot.right));
    /** The rows and columns that have differences. */
    this.both = rowsWhere((slot, [one, other]) => slot.isAligned && one.has(slot.left) && other.has(slot.right));
    this.difference = new Difference(this.matrices[0], this.matrices[1], this.both);
  }

  /** Return the largest absolute difference. */
  get most() {
    return this.largest(1).reduce((_, { difference }) => Math.abs(difference), 0);
  }

  /** @returns {Change[]} The largest differences, largest first. */
  largest(/** @type {number} */ count, { queries, keys } = this.both) {
    /** @type {Change[]} */
    const found = [];
    let least = 0;
    for (const query of queries) {
      const differences = this.difference.row(query);
      for (const key of keys) {
        const difference = differences[key];
        if (!(Math.abs(difference) > least)) continue;
        found.push({ query, key, difference });
        if (found.length < 2 * count) continue;
        found.sort(bySize).length = count;
        least = Math.abs(found[count - 1].difference);
      }
    }
    return found.sort(bySize).slice(0, count);
  }

  /**
   * Return the Jensen-Shannon distance: the mean over the queries that have differences of the distance between the two
   * rows, each scaled to sum to 1 over the keys that have differences. Rows without any weight on these keys are left out.
   *
   * @returns {Distance}
   */
  distance() {
    const { queries, keys } = this.both;
    const shares = [0, 0];
    let [sum, count] = [0, 0];
    for (const query of queries) {
      const rows = this.matrices.map((matrix) => matrix.row(query));
      const masses = rows.map((row) => massOn(row, keys));
      masses.forEach((mass, side) => (shares[side] += mass / massOn(rows[side], this.rows[side].keys) || 0));
      if (!masses.every((mass) => mass > 0)) continue;
      sum += rowDistance(rows, masses, keys);
      count += 1;
    }
    return { mean: count ? sum / count : null, queries: count, shares: shares.map((share) => share / (queries.length || 1)) };
  }
}

const bySize = (/** @type {Change} */ a, /** @type {Change} */ b) =>
  Math.abs(b.difference) - Math.abs(a.difference) || a.query - b.query || a.key - b.key;

function massOn(/** @type {Float32Array} */ row, /** @type {number[]} */ keys) {
  let sum = 0;
  for (const key of keys) sum += row[key];
  return sum;
}

/** Return the square root of the Jensen-Shannon divergence of two rows, in nats. */
function rowDistance(/** @type {Float32Array[]} */ [left, right], /** @type {number[]} */ [leftMass, rightMass], /** @type {number[]} */ keys) {
  let divergence = 0;
  for (const key of keys) {
    const one = left[key] / leftMass;
    const other = right[key] / rightMass;
    const mean = (one + other) / 2;
    if (one > 0) divergence += 0.5 * one * Math.log(one / mean);
    if (other > 0) divergence += 0.5 * other * Math.log(other / mean);
  }
  return Math.sqrt(Math.max(0, divergence));
}
