// @ts-check
// Where the rows of one side of a diagram are.

export const ROW = 24; // pixels; the least height of a row with a readable token
const TALLEST = 40;
const MOST_ROWS = 64; // if there are more, only those around the chosen one are laid out in full
const SHARE_IN_FULL = 0.62; // of the height
const LEAST_ROOM = 360; // pixels
const MARGIN = 2; // rows beside the chosen one that have to be in full
const FEW = 2; // thin rows at an end that are not worth a place of their own

/** True if there are too many rows to lay out all of them in full. */
export const areMany = (/** @type {number} */ count) => count > MOST_ROWS;

/** The rows of a side. Those from first to last - 1 are in full, and the others are thin bars. */
export class Rows {
  /**
   * @param {number} count
   * @param {number} height Of a row in full, in pixels.
   * @param {number} [room] The height of all rows, in pixels, if some are thin.
   * @param {number} [first] The first row in full.
   * @param {number} [last] The row after the last one in full.
   */
  constructor(count, height, room = 0, first = 0, last = count) {
    this.count = count;
    this.height = height;
    this.first = first;
    this.last = last;
    const thin = count > last - first ? (room - height * (last - first)) / (count - last + first) : 0;
    this.tops = new Float64Array(count + 1);
    for (let place = 0; place < count; place++) {
      this.tops[place + 1] = this.tops[place] + (this.isFull(place) ? height : thin);
    }
  }

  isFull(/** @type {number} */ place) {
    return place >= this.first && place < this.last;
  }

  get total() {
    return this.tops[this.count];
  }

  top(/** @type {number} */ place) {
    return this.tops[place];
  }

  heightOf(/** @type {number} */ place) {
    return this.tops[place + 1] - this.tops[place];
  }

  middle(/** @type {number} */ place) {
    return (this.tops[place] + this.tops[place + 1]) / 2;
  }

  /** Return the row at a distance from the top. */
  at(/** @type {number} */ y) {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** True if the row is in full, and so are those beside it. */
  showsAround(/** @type {number} */ place) {
    return (place >= this.first + MARGIN || this.first === 0)
      && (place < this.last - MARGIN || this.last === this.count);
  }
}

/** Return the height of a row such that this number of rows fill the room. */
export const rowHeight = (/** @type {number} */ count, /** @type {number} */ room) =>
  areMany(count) ? ROW : Math.min(TALLEST, Math.max(ROW, Math.floor(room / Math.max(1, count))));

/**
 * Return the rows of a side.
 *
 * @param {number} count
 * @param {number} height Of a row in full.
 * @param {number} room
 * @param {number} center The row to lay out in full with its neighbours, if there are many.
 */
export function rowsOf(count, height, room, center) {
  if (!areMany(count)) return new Rows(count, height);
  const bounded = Math.max(LEAST_ROOM, room);
  const full = Math.min(count, Math.floor((bounded * SHARE_IN_FULL) / height));
  const last = count - full; // the last place for the first row
  const wanted = Math.min(last, Math.max(0, center - Math.floor(full / 2)));
  const first = wanted <= FEW ? 0 : last - wanted <= FEW ? last : wanted;
  return new Rows(count, height, bounded, first, first + full);
}
