// @ts-check
// Whole views as drawings to save, whose context is that of a canvas or an SvgContext.

import { FONT, shortened } from "./canvas.js";
import { paintCell } from "./cells.js";
import { about, layerName } from "./data.js";
import { paintFlow } from "./flow.js";
import { share } from "./numbers.js";
import { placeOfHead } from "./state.js";
import { colour, headColour } from "./theme.js";
import { visible } from "./tokens.js";

/**
 * @typedef {object} Drawing
 * @property {string} title
 * @property {number} width In CSS pixels.
 * @property {number} height
 * @property {(context: any) => void} paint
 */

const WIDTH = 720;
const ROW = 24;
const LABEL = 190; // width of the tokens on each side
const HEADER = 26;
const GAP = 48; // between lists of bars
const BAR_ROW = 30;

/**
 * Return the lines of the head view with their tokens.
 *
 * @param {string} title
 * @param {import("./data.js").Text} text
 * @param {import("./zoom.js").Rows} rows
 * @param {import("./lines.js").Line[]} lines
 * @returns {Drawing}
 */
export function drawingOfLines(title, text, { queries, keys }, lines) {
  const most = lines.reduce((largest, { weight }) => Math.max(largest, weight), 1e-9);
  const places = [queries, keys].map((positions) => new Map(positions.map((position, place) => [position, place])));
  const links = lines.map(({ head, query, key, weight }) =>
    ({ from: places[0].get(query), to: places[1].get(key), strength: weight / most, colour: headColour(head) }));
  const paint = (context) => {
    paintFlow(context, { left: LABEL, right: WIDTH - LABEL, top: 0, rowOfLeft: ROW, rowOfRight: ROW }, links, 1.5);
    context.font = `13px ${FONT}`;
    context.textBaseline = "middle";
    context.fillStyle = colour("ink");
    for (const [positions, align, x] of /** @type {[number[], string, number][]} */ ([
      [queries, "right", LABEL - 8],
      [keys, "left", WIDTH - LABEL + 8],
    ])) {
      context.textAlign = align;
      positions.forEach((position, place) =>
        context.fillText(shortened(context, visible(text.tokens[position]), LABEL - 8), x, ROW * (place + 0.5)),
      );
    }
  };
  return { title, width: WIDTH, height: ROW * Math.max(queries.length, keys.length), paint };
}

/**
 * Return a grid of all heads, with their numbers at the edges.
 *
 * @param {string} title
 * @param {{width: number, height: number, gap: number}} cell
 * @param {(context: any, at: number, x: number, y: number) => void} paintOne Paint the head layer * heads + head.
 * @returns {Drawing}
 */
export function drawingOfHeads(title, { width, height, gap }, paintOne) {
  const paint = (context) => {
    context.font = `12px ${FONT}`;
    context.textBaseline = "middle";
    for (let at = 0; at < about.layers * about.heads; at++) {
      const { layer, head } = placeOfHead(at);
      const [x, y] = [HEADER + head * (width + gap), HEADER + layer * (height + gap)];
      paintOne(context, at, x, y);
      context.fillStyle = colour("muted");
      context.textAlign = "center";
      if (layer === 0) context.fillText(String(head), x + width / 2, HEADER / 2);
      if (head === 0) context.fillText(String(layerName(layer)), HEADER / 2, y + height / 2);
    }
  };
  return { title, width: HEADER + about.heads * (width + gap), height: HEADER + about.layers * (height + gap), paint };
}

/** @returns {Drawing} The statistics view. */
export function drawingOfStatistics(
  /** @type {string} */ title,
  /** @type {(at: number) => {number: string, background: [number, number, number]}} */ cellAt,
) {
  const cell = { width: 58, height: 34, gap: 3 };
  return drawingOfHeads(title, cell, (context, at, x, y) => {
    const { number, background } = cellAt(at);
    paintCell(context, number, background, x, y, cell.width, cell.height);
  });
}

/**
 * Return the predictions for each mask, and beside them what the mask attends to.
 *
 * @param {string} title
 * @param {import("./data.js").Text} text
 * @param {string | null} attended The heading of what the mask attends to.
 * @param {(position: number) => {position: number, weight: number, precision: number}[]} strongestOf Return what a
 *   mask attends to; a weight of 0 is smaller than its precision.
 * @returns {Drawing}
 */
export function drawingOfMasks(title, text, attended, strongestOf) {
  const right = WIDTH / 2 + GAP / 2;
  const lists = text.masks.map(({ position, predictions }) => ({
    predictions: predictions.map(({ token, score }) => ({ name: visible(token), part: score })),
    keys: strongestOf(position).map((one) => ({
      name: `${visible(text.tokens[one.position])} ${one.position}`,
      part: one.weight,
      precision: one.precision,
    })),
  }));
  const heights = lists.map(
    ({ predictions, keys }) => HEADER + BAR_ROW * Math.max(predictions.length, keys.length) + GAP / 2,
  );
  const paint = (context) => {
    let top = 0;
    lists.forEach(({ predictions, keys }, at) => {
      paintBars(
        context,
        text.masks.length > 1 ? `mask ${at + 1} of ${text.masks.length}` : "predictions",
        predictions,
        0,
        top,
      );
      if (attended !== null) paintBars(context, attended, keys, right, top);
      top += heights[at];
    });
  };
  return { title, width: WIDTH, height: heights.reduce((sum, height) => sum + height, 0), paint };
}

/** Paint a list of names with bars, as wide as half a drawing. */
function paintBars(
  context,
  /** @type {string} */ heading,
  /** @type {{name: string, part: number, precision?: number}[]} */ rows,
  /** @type {number} */ left,
  /** @type {number} */ top,
) {
  const width = (WIDTH - GAP) / 2;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.font = `12px ${FONT}`;
  context.fillStyle = colour("muted");
  context.fillText(shortened(context, heading, width), left, top + HEADER / 2);
  context.font = `13px ${FONT}`;
  rows.forEach(({ name, part, precision }, place) => {
    const y = top + HEADER + BAR_ROW * place;
    const number = share(part, precision);
    context.fillStyle = colour("ink");
    context.textAlign = "left";
    context.fillText(shortened(context, name, width - 70), left, y + 9);
    context.textAlign = "right";
    context.fillText(number, left + width, y + 9);
    context.fillStyle = colour("soft");
    context.fillRect(left, y + 20, width, 4);
    context.fillStyle = colour("bar");
    context.fillRect(left, y + 20, width * part, 4);
  });
}
