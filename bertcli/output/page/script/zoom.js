// @ts-check
// The zoomed part of a matrix: a range of queries and a range of keys.

/**
 * @typedef {[number, number]} Range First and last, both included.
 * @typedef {{queries: Range, keys: Range}} Zoom Ranges of positions in the text.
 * @typedef {{queries: number[], keys: number[]}} Rows Positions in the text, in order.
 * @typedef {{down: Range, across: Range}} Part The zoom as places in Rows.
 * @typedef {{query: number | null, key: number | null}} Place
 */

const FEWEST = 4; // rows and columns that a zoom shows at least

/** Return the rows and columns that the zoom shows; all of them if it shows none. */
export function zoomedRows(/** @type {Rows} */ rows, /** @type {Zoom | null} */ zoom) {
  const { down, across } = partOf(rows, zoom);
  return { queries: rows.queries.slice(down[0], down[1] + 1), keys: rows.keys.slice(across[0], across[1] + 1) };
}

/** @returns {Part} The places of the zoomed rows and columns; all of them if the zoom shows none. */
export function partOf(/** @type {Rows} */ rows, /** @type {Zoom | null} */ zoom) {
  const whole = { down: wholeOf(rows.queries), across: wholeOf(rows.keys) };
  if (!zoom) return whole;
  const down = placesIn(rows.queries, zoom.queries);
  const across = placesIn(rows.keys, zoom.keys);
  return down && across ? { down, across } : whole;
}

/** @returns {Range} */
const wholeOf = (/** @type {number[]} */ positions) => [0, positions.length - 1];

/** @returns {Range | null} */
function placesIn(/** @type {number[]} */ positions, /** @type {Range} */ [first, last]) {
  const from = positions.findIndex((position) => position >= first);
  const to = positions.findLastIndex((position) => position <= last);
  return from >= 0 && from <= to ? [from, to] : null;
}

/** @returns {Zoom | null} The zoom to this part, widened if it is too small; null if it is the whole matrix. */
export function zoomTo(/** @type {Rows} */ rows, /** @type {Part} */ { down, across }) {
  const [first, last] = widened(down, rows.queries.length);
  const [left, right] = widened(across, rows.keys.length);
  if (last - first + 1 === rows.queries.length && right - left + 1 === rows.keys.length) return null;
  return { queries: [rows.queries[first], rows.queries[last]], keys: [rows.keys[left], rows.keys[right]] };
}

/** @returns {Range} The range with whole numbers, moved inside 0 to count - 1, with at least FEWEST places. */
function widened(/** @type {Range} */ [first, last], /** @type {number} */ count) {
  const length = Math.max(Math.min(Math.round(last - first + 1), count), Math.min(FEWEST, count));
  const start = Math.round((first + last + 1 - length) / 2);
  const from = Math.min(Math.max(start, 0), count - length);
  return [from, from + length - 1];
}

/**
 * Return the zoom to a part that is a factor as large, around a place that keeps its share of the part.
 *
 * @param {Rows} rows
 * @param {Zoom | null} zoom
 * @param {number} factor Below 1 to zoom in.
 * @param {Place | null} place The middle if it is null or not in the zoomed part.
 */
export function zoomAround(rows, zoom, factor, place) {
  const { down, across } = partOf(rows, zoom);
  return zoomTo(rows, {
    down: scaled(down, factor, rows.queries.indexOf(place?.query)),
    across: scaled(across, factor, rows.keys.indexOf(place?.key)),
  });
}

/** @returns {Range} */
function scaled(/** @type {Range} */ [first, last], /** @type {number} */ factor, /** @type {number} */ at) {
  const middle = at >= first && at <= last ? at + 0.5 : (first + last + 1) / 2;
  const start = middle - (middle - first) * factor;
  return [start, start + (last - first + 1) * factor - 1];
}

/** Return the zoom moved by a number of rows and columns, as far as there are any. */
export function panned(
  /** @type {Rows} */ rows,
  /** @type {Zoom | null} */ zoom,
  /** @type {number} */ down,
  /** @type {number} */ right,
) {
  const part = partOf(rows, zoom);
  return zoomTo(rows, { down: moved(part.down, down), across: moved(part.across, right) });
}

/** @returns {Range} */
const moved = (/** @type {Range} */ [first, last], /** @type {number} */ by) => [first + by, last + by];

/** Return the zoom moved just so far that it shows the place. */
export function bringIntoZoom(
  /** @type {Rows} */ rows,
  /** @type {Zoom | null} */ zoom,
  /** @type {Place} */ { query, key },
) {
  const { down, across } = partOf(rows, zoom);
  const way = (/** @type {Range} */ [first, last], /** @type {number} */ at) =>
    Math.min(0, at - first) || Math.max(0, at - last);
  const [right, below] = [way(across, rows.keys.indexOf(key)), way(down, rows.queries.indexOf(query))];
  return right || below ? panned(rows, zoom, below, right) : zoom;
}

/** Return the zoom as it is written in the address. */
export const zoomWritten = (/** @type {Zoom | null} */ zoom) =>
  zoom && [zoom.queries, zoom.keys].map((range) => range.join("-")).join(",");

/** @returns {Zoom | null} The zoom that an address names; null if it is not valid for a text of this many tokens. */
export function zoomNamed(/** @type {string | null} */ written, /** @type {number} */ size) {
  const found = written?.match(/^(\d+)-(\d+),(\d+)-(\d+)$/);
  if (!found) return null;
  const [first, last, left, right] = found.slice(1).map(Number);
  if (first > last || left > right || Math.max(last, right) >= size) return null;
  return { queries: [first, last], keys: [left, right] };
}
