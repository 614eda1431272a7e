// @ts-check
// The comparison of two matrices of weights, over the slots of aligned texts: their differences and their distance.

import { positionOn } from "./alignment.js";
import { RowMatrix } from "./data.js";

/**
 * @typedef {import("./alignment.js").Slot} Slot
 * @typedef {import("./zoom.js").Rows} Rows
 *
 * @typedef {object} Side One of the two that are compared.
 * @property {string} name A short name, such as L3H7 or text 2.
 * @property {import("./data.js").Text} text
 * @property {RowMatrix} matrix
 * @property {Rows} rows The positions that are shown.
 *
 * @typedef {object} Distance
 * @property {number | null} mean Over the queries; null without any.
 * @property {number} queries
 * @property {number[]} shares The mean share of a row's weights that goes to the keys with differences, on the left
 *   and on the right.
 *
 * @typedef {{query: number, key: number, difference: number}} Change The difference of a weight, with its slots.
 */

export const FARTHEST = Math.sqrt(Math.LN2); // the largest Jensen-Shannon distance

/** A matrix whose rows and columns are slots. Where the text has no token, weights are NaN. */
class SlotMatrix extends RowMatrix {
  constructor(/** @type {RowMatrix} */ matrix, /** @type {(number | null)[]} */ positions) {
    super(positions.length);
    this.matrix = matrix;
    this.positions = Int32Array.from(positions, (position) => position ?? -1);
  }

  compute(/** @type {number} */ slot) {
    const { positions, size } = this;
    const found = new Float32Array(size).fill(NaN);
    if (positions[slot] < 0) return found;
    const weights = this.matrix.row(positions[slot]);
    for (let key = 0; key < size; key++) if (positions[key] >= 0) found[key] = weights[positions[key]];
    return found;
  }

  precision(/** @type {number} */ slot, weight = 0) {
    return this.positions[slot] < 0 ? 0 : this.matrix.precision(this.positions[slot], weight);
  }
}

/** The right weights minus the left ones, NaN for slots that are not aligned. */
class Difference extends RowMatrix {
  constructor(/** @type {RowMatrix} */ left, /** @type {RowMatrix} */ right, /** @type {Rows} */ { queries, keys }) {
    super(left.size);
    this.left = left;
    this.right = right;
    this.queries = new Set(queries);
    this.keys = keys;
  }

  compute(/** @type {number} */ slot) {
    const differences = new Float32Array(this.size).fill(NaN);
    if (!this.queries.has(slot)) return differences;
    const [left, right] = [this.left.row(slot), this.right.row(slot)];
    for (const key of this.keys) differences[key] = right[key] - left[key];
    return differences;
  }

  /** Return what a difference of 0 is smaller than: the sum of the precisions of both weights. */
  precisionAt(/** @type {number} */ slot, /** @type {number} */ key) {
    return [this.left, this.right].reduce((sum, matrix) => sum + matrix.precision(slot, matrix.at(slot, key)), 0);
  }
}

export class Comparison {
  constructor(/** @type {Slot[]} */ slots, /** @type {Side} */ left, /** @type {Side} */ right) {
    this.slots = slots;
    this.sides = [left, right];
    this.matrices = this.sides.map(({ matrix }, side) =>
      new SlotMatrix(matrix, slots.map((slot) => positionOn(slot, side))));
    const isShown = this.sides.map(({ rows }, side) => {
      const shown = { queries: new Set(rows.queries), keys: new Set(rows.keys) };
      return (/** @type {Slot} */ slot, /** @type {"queries" | "keys"} */ axis) =>
        shown[axis].has(positionOn(slot, side));
    });
    const [isOnLeft, isOnRight] = isShown;
    /** The rows and columns of the left and of the right matrix. */
    this.rows = isShown.map((isOnSide) => rowsWhere(slots, isOnSide));
    /** All rows and columns. */
    this.either = rowsWhere(slots, (slot, axis) => isOnLeft(slot, axis) || isOnRight(slot, axis));
    /** The rows and columns that have differences. */
    this.both = rowsWhere(slots, (slot, axis) => slot.isAligned && isOnLeft(slot, axis) && isOnRight(slot, axis));
    this.difference = new Difference(this.matrices[0], this.matrices[1], this.both);
  }

  /** True if one head in two texts is compared. */
  get isOfTexts() {
    return this.sides[0].text !== this.sides[1].text;
  }

  /** Return the largest absolute difference. */
  get most() {
    return Math.abs(this.largest(1)[0]?.difference ?? 0);
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
   * Return the Jensen-Shannon distance: the mean, over the queries that have differences, of the distance between the
   * two rows. Each row is scaled to sum to 1 over the keys that have differences. Rows without any weight on these keys
   * are left out.
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
    return {
      mean: count ? sum / count : null,
      queries: count,
      shares: shares.map((share) => share / (queries.length || 1)),
    };
  }
}

/** @returns {Rows} The slots that are wanted as rows, and those that are wanted as columns. */
function rowsWhere(
  /** @type {Slot[]} */ slots,
  /** @type {(slot: Slot, axis: "queries" | "keys") => boolean} */ isWanted,
) {
  const slotsOf = (/** @type {"queries" | "keys"} */ axis) =>
    slots.flatMap((slot, at) => (isWanted(slot, axis) ? [at] : []));
  return { queries: slotsOf("queries"), keys: slotsOf("keys") };
}

const bySize = (/** @type {Change} */ a, /** @type {Change} */ b) =>
  Math.abs(b.difference) - Math.abs(a.difference) || a.query - b.query || a.key - b.key;

function massOn(/** @type {Float32Array} */ row, /** @type {number[]} */ keys) {
  let sum = 0;
  for (const key of keys) sum += row[key];
  return sum;
}

/** Return the square root of the Jensen-Shannon divergence of two rows, in nats. */
function rowDistance(
  /** @type {Float32Array[]} */ [left, right],
  /** @type {number[]} */ [leftMass, rightMass],
  /** @type {number[]} */ keys,
) {
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
