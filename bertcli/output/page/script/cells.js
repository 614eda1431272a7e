// @ts-check
// The painting of a matrix: cells, labels, ticks and numbers. The context is that of a canvas, or an SvgContext.

import { FONT, pixelCanvas, shortened } from "./canvas.js";
import { colour, css, inkOn } from "./theme.js";
import { visible } from "./tokens.js";

/**
 * @typedef {import("./zoom.js").Rows} Rows
 *
 * @typedef {object} Names The labels of rows and columns.
 * @property {string[]} tokens
 * @property {(number | string)[]} [numbers] The positions to show with the tokens, if rows are not positions.
 *
 * @typedef {object} Colours
 * @property {Uint32Array} pixels
 * @property {(weight: number) => number} step Return the place of a weight among the pixels.
 * @property {(weight: number) => [number, number, number]} colour
 * @property {(weight: number) => number} strength Return how far the colour is from that of 0, as a share of 1.
 * @property {(weight: number) => string} [stroke] Return the colour of a line; without it, a line has that of the head.
 * @property {(weight: number, precision?: number) => string} written Return what is written into a cell; empty for
 *   nothing.
 *
 * @typedef {object} Picture
 * @property {Names} text
 * @property {Rows} rows
 * @property {import("./data.js").RowMatrix} matrix
 * @property {Colours} shading
 * @property {ReadonlySet<number>} [hatched] Rows and columns without weights.
 *
 * @typedef {object} Frame Lengths in CSS pixels.
 * @property {number} left Width of the labels of queries.
 * @property {number} top Height of the labels of keys.
 * @property {number} cell The smaller of the width and the height of a cell.
 * @property {number} across Width of a cell.
 * @property {number} down Height of a cell.
 * @property {number} width
 * @property {number} height
 */

export const LARGEST_CELL = 46; // height
const WIDEST = 2; // a cell is at most this many times as wide as high
const LABELLED_CELL = 11; // smaller cells have labels at some rows and columns only
export const NUMBERED_CELL = 30; // smaller cells have no room for a number
const STRETCHED_CELL = 16; // cells of a part may have any shape up to this width and height
const LINE = 13; // between labels
const HATCH = 6; // between the lines of a hatching
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Return the number of rows from one label to the next. */
const labelStep = (/** @type {number} */ cell) =>
  cell >= LABELLED_CELL ? 1 : (STEPS.find((step) => step * cell >= LINE) ?? 1000);

/**
 * Return the frame of a matrix. It fills the width, unless its cells would be too large or too wide.
 *
 * @param {any} context
 * @param {Names} text
 * @param {Rows} rows
 * @param {object} room
 * @param {number} room.width
 * @param {number} room.height A whole matrix is higher if its cells are legible only then.
 * @param {boolean} [room.isPart] True for a part of a matrix, which always fits the height and may be stretched.
 * @param {number} [room.largest] Largest height of a cell.
 * @returns {Frame}
 */
export function layOut(context, text, { queries, keys }, { width, height, isPart = false, largest = LARGEST_CELL }) {
  context.font = `13px ${FONT}`;
  const digits = Math.max(queries.length, keys.length) * LABELLED_CELL > width * 0.8 ? 26 : 0;
  const widest = (/** @type {number[]} */ positions) =>
    Math.ceil(
      Math.max(...positions.map((at) => context.measureText(visible(text.tokens[at]).slice(0, 40)).width), 12),
    ) +
    digits +
    12;
  const left = Math.min(widest(queries), 130, width * 0.28);
  const top = Math.min(widest(keys), 110);
  const most = { across: (width - left) / keys.length, down: (height - top) / queries.length };
  const legible = most.across >= NUMBERED_CELL ? NUMBERED_CELL : most.across >= LABELLED_CELL ? STRETCHED_CELL : 0;
  const stretched = isPart ? STRETCHED_CELL : 0;
  const highest = Math.min(largest, Math.max(most.down, isPart ? 0 : legible));
  const down = Math.min(highest, Math.max(most.across, stretched));
  const across = Math.min(most.across, Math.max(WIDEST * down, stretched));
  return {
    left, top, across, down, cell: Math.min(across, down),
    width: left + across * keys.length, height: top + down * queries.length,
  };
}

/** Return the cells as an image, a pixel for each. */
export function cellImage(/** @type {Picture} */ { rows: { queries, keys }, matrix, shading }) {
  const colours = shading.pixels;
  const pixels = new Uint32Array(queries.length * keys.length);
  let at = 0;
  for (const query of queries) {
    const weights = matrix.row(query);
    for (const key of keys) pixels[at++] = colours[shading.step(weights[key])];
  }
  return pixelCanvas(keys.length, queries.length, pixels);
}

/**
 * Paint a matrix.
 *
 * @param {any} context
 * @param {Frame} frame
 * @param {Picture} picture
 * @param {any} image The cells.
 * @param {{query?: number | null, key?: number | null} | null} place The row and column to mark.
 */
export function paintMatrix(context, frame, picture, image, place) {
  const { left, top, across, down, cell } = frame;
  const { queries, keys } = picture.rows;
  context.imageSmoothingEnabled = cell < 1;
  context.drawImage(image, left, top, across * keys.length, down * queries.length);
  if (picture.hatched) paintHatching(context, frame, picture.rows, picture.hatched);
  if (cell >= LABELLED_CELL) paintGrid(context, frame, picture.rows);
  paintLabels(context, frame, picture, place);
  if (cell >= NUMBERED_CELL) paintNumbers(context, frame, picture);
  paintCross(context, frame, picture.rows, place);
}

function paintGrid(context, { left, top, across, down }, { queries, keys }) {
  context.strokeStyle = colour("paper");
  context.lineWidth = 1;
  context.beginPath();
  const [right, bottom] = [left + across * keys.length, top + down * queries.length];
  for (let at = 0; at <= keys.length; at++) {
    line(context, left + at * across - 0.5, top, left + at * across - 0.5, bottom);
  }
  for (let at = 0; at <= queries.length; at++) line(context, left, top + at * down - 0.5, right, top + at * down - 0.5);
  context.stroke();
}

/** Hatch the rows and columns that have no weights. */
function paintHatching(context, { left, top, across, down }, { queries, keys }, hatched) {
  context.strokeStyle = colour("rule");
  context.lineWidth = 1;
  context.beginPath();
  for (const [first, last] of runsOf(queries, hatched)) {
    hatch(context, left, top + first * down, across * keys.length, (last - first + 1) * down);
  }
  for (const [first, last] of runsOf(keys, hatched)) {
    hatch(context, left + first * across, top, (last - first + 1) * across, down * queries.length);
  }
  context.stroke();
}

/** @returns {[number, number][]} The first and the last place of each run of positions that a set contains. */
function runsOf(/** @type {number[]} */ positions, /** @type {ReadonlySet<number>} */ wanted) {
  /** @type {[number, number][]} */
  const runs = [];
  positions.forEach((position, place) => {
    if (!wanted.has(position)) return;
    if (runs.at(-1)?.[1] === place - 1) runs.at(-1)[1] = place;
    else runs.push([place, place]);
  });
  return runs;
}

/** Add diagonal lines that end at the sides of a rectangle. */
function hatch(context, x, y, width, height) {
  for (let from = HATCH * Math.ceil(-height / HATCH); from < width; from += HATCH) {
    const [start, end] = [Math.max(0, -from), Math.min(height, width - from)];
    line(context, x + from + start, y + height - start, x + from + end, y + height - end);
  }
}

function line(context, x, y, toX, toY) {
  context.moveTo(x, y);
  context.lineTo(toX, toY);
}

/** @typedef {{position: number, at: number, name: string, isChosen: boolean}} Label */

/**
 * Return the labels of a side: of all rows, or only of some if they are too close, and always of the row in focus.
 *
 * @returns {Label[]}
 */
export function labelsOf(
  /** @type {Names} */ text,
  /** @type {number[]} */ positions,
  /** @type {number} */ cell,
  /** @type {number | null | undefined} */ chosen,
) {
  const step = labelStep(cell);
  const chosenAt = chosen === null || chosen === undefined ? -1 : positions.indexOf(chosen);
  const isFree = (/** @type {number} */ at) =>
    (chosenAt < 0 || Math.abs(at - chosenAt) * cell >= LINE) && (positions.length - at - 0.5) * cell >= LINE / 2;
  const numberOf = (/** @type {number} */ position) => text.numbers?.[position] ?? position;
  return positions
    .map((position, at) => ({ position, at, isChosen: at === chosenAt, name: visible(text.tokens[position]) }))
    .filter(
      ({ position, at, isChosen }) => isChosen || step === 1 || (Number(numberOf(position)) % step === 0 && isFree(at)),
    )
    .map((label) => (step === 1 ? label : { ...label, name: `${numberOf(label.position)} ${label.name}` }));
}

function paintLabels(context, frame, { text, rows }, place) {
  const { left, top, across, down } = frame;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const ticks = [];
  const style = (/** @type {Label} */ { isChosen }, /** @type {number} */ cell) => {
    context.font = `${Math.min(13, Math.max(LABELLED_CELL, cell))}px ${FONT}`;
    context.fillStyle = colour(isChosen ? "accent" : "ink");
  };
  for (const label of labelsOf(text, rows.queries, down, place?.query)) {
    style(label, down);
    const y = top + (label.at + 0.5) * down;
    context.fillText(shortened(context, label.name, left - 10), left - 7, y);
    if (down < LABELLED_CELL) ticks.push([left - 4, y, left, y]);
  }
  context.textAlign = "left";
  for (const label of labelsOf(text, rows.keys, across, place?.key)) {
    style(label, across);
    const x = left + (label.at + 0.5) * across;
    context.save();
    context.translate(x, top - 7);
    context.rotate(-Math.PI / 2);
    context.fillText(shortened(context, label.name, top - 10), 0, 0);
    context.restore();
    if (across < LABELLED_CELL) ticks.push([x, top - 4, x, top]);
  }
  if (!ticks.length) return;
  context.strokeStyle = colour("muted");
  context.lineWidth = 1;
  context.beginPath();
  for (const [x, y, toX, toY] of ticks) line(context, x, y, toX, toY);
  context.stroke();
}

function paintNumbers(context, { left, top, across, down }, { rows, matrix, shading }) {
  context.font = `${down < 34 ? 11 : 12}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  rows.queries.forEach((query, row) => {
    const precision = matrix.precision(query);
    rows.keys.forEach((key, column) => {
      const weight = matrix.at(query, key);
      const written = shading.written(weight, precision);
      if (!written) return;
      context.fillStyle = inkOn(shading.colour(weight));
      context.fillText(written, left + (column + 0.5) * across, top + (row + 0.5) * down, across - 2);
    });
  });
}

function paintCross(context, { left, top, across, down }, { queries, keys }, place) {
  const [row, column] = [queries.indexOf(place?.query), keys.indexOf(place?.key)];
  context.strokeStyle = colour("accent");
  context.lineWidth = 1.5;
  if (row >= 0) context.strokeRect(left + 0.5, top + row * down, across * keys.length - 1, Math.max(down, 2));
  if (column >= 0) {
    context.strokeRect(left + column * across, top + 0.5, Math.max(across, 2), down * queries.length - 1);
  }
}

/** Paint the number that a drawing has for a cell, on the colour of the cell. */
export function paintCell(
  context,
  /** @type {string} */ written,
  /** @type {[number, number, number]} */ background,
  x,
  y,
  width,
  height,
) {
  context.fillStyle = css(background);
  context.fillRect(x, y, width, height);
  context.fillStyle = inkOn(background);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(written, x + width / 2, y + height / 2);
}
