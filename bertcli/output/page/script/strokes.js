// @ts-check
// Drawing of a head diagram on a canvas: lines, cells, thin bars and tokens.

import { FONT, pixelCanvas, shortened } from "./canvas.js";
import { BEND } from "./flow.js";
import { colour, headColour, headTint, partsOf } from "./theme.js";
import { visible } from "./tokens.js";

/**
 * @typedef {import("./lines.js").Line} Line
 * @typedef {import("./lines.js").TokenLines} TokenLines
 * @typedef {"query" | "key"} Side
 *
 * @typedef {object} Frame A part of a diagram on a canvas.
 * @property {number} width
 * @property {number} height
 * @property {number} top How much of the diagram is above the canvas.
 * @property {number} left Where lines begin.
 * @property {number} right Where they end.
 * @property {number[]} heads
 * @property {Record<Side, import("./rows.js").Rows>} rows
 * @property {Record<Side, Map<number, number>>} places The row of each position.
 */

const STRENGTHS = 20; // levels of colour; lines of the same level and head are drawn as one path
const THIN_BAR = 72; // pixels; the longest thin bar
const MANY = 40; // lines of a token. More lines are thinner, down to 1 pixel for twice as many, so that they hide less.
const LEAST_SEEN = 0.002; // of the largest weight; the cell of a smaller one cannot be seen

/** Return the width of a head's cell beside a token. */
const cellOf = (/** @type {Frame} */ { width, heads }) =>
  Math.max(2, Math.min(7, Math.floor(84 / heads.length), Math.floor((width * 0.12) / heads.length)));

const largestOf = (/** @type {Line[]} */ lines) => lines.at(-1)?.weight ?? 1e-9;

/** Draw the lines of all tokens, the strongest last. Their colours are opaque, so they do not mix where lines cross. */
export function drawAll(context, /** @type {Frame} */ frame, /** @type {Line[]} */ lines) {
  const { rows, places } = frame;
  const isFull = (/** @type {Side} */ side, /** @type {Line} */ line) =>
    rows[side].isFull(places[side].get(line[side]));
  /** @type {Line[][]} */
  const byFullEnds = [[], [], []];
  for (const line of lines) byFullEnds[Number(isFull("query", line)) + Number(isFull("key", line))].push(line);
  const most = largestOf(lines);
  // There are many lines between thin bars. Draw them first, thin and pale, so that they do not cover the others.
  byFullEnds.forEach((some, ends) => {
    const part = [0.3, 0.6, 1][ends];
    stroke(context, frame, some, most, [frame.left, frame.right], () => [0, 0],
      (strength) => [part * (0.14 + 0.86 * strength ** 1.1), part * (1.1 + 0.8 * strength)]);
  });
}

/** Draw the lines of one token, and a cell for each head beside each token at the other end. */
export function drawOne(context, /** @type {Frame} */ frame, /** @type {TokenLines} */ own) {
  const strip = cellOf(frame) * frame.heads.length + 4;
  const isQuery = own.side === "query";
  // Lines of several heads end slightly apart, so that none hides another.
  const spread = Math.min(2, 14 / frame.heads.length);
  const shiftOf = new Map(frame.heads.map((head, at) => [head, spread * (at - (frame.heads.length - 1) / 2)]));
  const lines = own.strongest();
  const wider = 1.6 * Math.min(1, Math.max(0, 2 - lines.length / MANY));
  stroke(
    context,
    frame,
    lines,
    largestOf(lines),
    [frame.left + (isQuery ? 0 : strip), frame.right - (isQuery ? strip : 0)],
    (head) => (isQuery ? [0, shiftOf.get(head)] : [shiftOf.get(head), 0]),
    (strength) => [0.12 + 0.88 * strength ** 0.8, 1 + wider * strength]);
  drawCells(context, frame, own);
}

/**
 * @param {any} context
 * @param {Frame} frame
 * @param {Line[]} lines
 * @param {number} most The weight of full strength.
 * @param {number[]} ends Where lines begin and end.
 * @param {(head: number) => number[]} shiftsOf Return how far the ends of a head's lines are moved down.
 * @param {(strength: number) => number[]} styleOf Return the share of the head's colour, and the width of the line.
 */
function stroke(context, frame, lines, most, [from, to], shiftsOf, styleOf) {
  const { rows, places } = frame;
  const bend = (to - from) * BEND;
  /** @type {Map<number, {head: number, level: number, path: Path2D}>} */
  const paths = new Map();
  for (const { head, query, key, weight } of lines) {
    const [shift, endShift] = shiftsOf(head);
    const start = rows.query.middle(places.query.get(query)) - frame.top + shift;
    const end = rows.key.middle(places.key.get(key)) - frame.top + endShift;
    if (Math.max(start, end) < -40 || Math.min(start, end) > frame.height + 40) continue;
    const level = Math.ceil(STRENGTHS * (weight / most));
    const name = level * frame.heads.length + frame.heads.indexOf(head);
    if (!paths.has(name)) paths.set(name, { head, level, path: new Path2D() });
    const { path } = paths.get(name);
    path.moveTo(from, start);
    path.bezierCurveTo(from + bend, start, to - bend, end, to, end);
  }
  context.lineCap = "round";
  for (const [, { head, level, path }] of [...paths].sort(([a], [b]) => a - b)) {
    const [share, width] = styleOf(level / STRENGTHS);
    context.strokeStyle = headTint(head, Number(share.toFixed(3)));
    context.lineWidth = width;
    context.stroke(path);
  }
}

function drawCells(context, /** @type {Frame} */ frame, /** @type {TokenLines} */ { weights, most, side }) {
  const { heads } = frame;
  const rows = frame.rows[side === "query" ? "key" : "query"];
  const cell = cellOf(frame);
  const start = side === "query" ? frame.right - cell * heads.length : frame.left;
  const thin = new Uint32Array(rows.count * heads.length); // pixels
  heads.forEach((head, at) => {
    const pixel = partsOf(headColour(head)).reduce((sum, part, channel) => sum | (part << (8 * channel)), 0);
    context.fillStyle = headColour(head);
    for (let place = 0; place < rows.count; place++) {
      const share = weights[at * rows.count + place] / most;
      if (!(share >= LEAST_SEEN)) continue;
      const opacity = share ** 0.7;
      if (!rows.isFull(place)) {
        thin[place * heads.length + at] = pixel | (Math.round(255 * opacity) << 24);
        continue;
      }
      const y = rows.top(place) - frame.top;
      const height = rows.heightOf(place);
      if (y < -height || y > frame.height) continue;
      const gap = Math.min(3, height / 8);
      context.globalAlpha = opacity;
      context.fillRect(start + cell * at, y + gap, cell - 1, height - 2 * gap);
    }
  });
  context.globalAlpha = 1;
  drawThinCells(context, frame, rows, thin, { start, cell });
}

/** Draw the cells of thin rows as one image for each head, which is faster than a rectangle for each cell. */
function drawThinCells(
  context,
  /** @type {Frame} */ { heads, top },
  /** @type {import("./rows.js").Rows} */ rows,
  /** @type {Uint32Array} */ pixels,
  { start, cell },
) {
  context.imageSmoothingEnabled = false;
  for (const [first, last] of [[0, rows.first], [rows.last, rows.count]]) {
    if (last <= first) continue;
    const image = pixelCanvas(heads.length, last - first, pixels.subarray(first * heads.length, last * heads.length));
    const [y, height] = [rows.top(first) - top, rows.top(last) - rows.top(first)];
    heads.forEach((_, at) => context.drawImage(image, at, 0, 1, last - first, start + cell * at, y, cell - 1, height));
  }
}

/**
 * Draw a thin bar for each row of a side that is not in full.
 *
 * @param {any} context
 * @param {Frame} frame
 * @param {Side} side
 * @param {number[]} shares The length of each row's bar, 0 to 1.
 */
export function drawThin(context, frame, side, shares) {
  const rows = frame.rows[side];
  context.fillStyle = colour("bar");
  context.beginPath();
  shares.forEach((share, place) => {
    if (rows.isFull(place)) return;
    const length = 3 + (THIN_BAR - 3) * share;
    const height = rows.heightOf(place);
    const x = side === "query" ? frame.left - 6 - length : frame.right + 6;
    context.rect(x, rows.top(place) - frame.top, length, Math.max(0.6, height > 3 ? height - 1 : height * 0.8));
  });
  context.fill();
}

/**
 * Write the tokens of some rows of a side, on paper.
 *
 * @param {any} context
 * @param {Frame} frame
 * @param {Side} side
 * @param {import("./data.js").Text} text
 * @param {number[]} positions The first of them is at the top of the frame.
 * @param {number | null} chosen
 */
export function writeTokens(context, frame, side, text, positions, chosen) {
  const isQuery = side === "query";
  const x = isQuery ? frame.left - 10 : frame.right + 10;
  context.textAlign = isQuery ? "right" : "left";
  context.textBaseline = "middle";
  positions.forEach((position, at) => {
    context.font = `${position === chosen ? "600 " : ""}13px ${FONT}`;
    context.fillStyle = colour(text.sentences[position] === 1 ? "accent" : "ink");
    const token = shortened(context, visible(text.tokens[position]), isQuery ? x : frame.width - x);
    context.fillText(token, x, frame.rows[side].height * (at + 0.5));
  });
}
