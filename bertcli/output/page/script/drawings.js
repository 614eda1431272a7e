// @ts-check
// Whole views as drawings to save, whose context is that of a canvas or an SvgContext.

import { FONT, shortened } from "./canvas.js";
import { paintCell } from "./cells.js";
import { about, layerName } from "./data.js";
import { paintFlow } from "./flow.js";
import { placeOfHead } from "./state.js";
import { colour, headColour } from "./theme.js";
import { visible } from "./tokens.js";

/**
 * @typedef {object} Drawing
 * @property {string} title
 * @property {number} width In CSS pixels.
 * @property {number} height
 * @property {boolean} isVector False for a copy of a canvas, which cannot be saved as SVG.
 * @property {(context: any) => void} paint
 */

const WIDTH = 720;
const ROW = 24;
const LABEL = 190; // width of the tokens on each side
const HEADER = 26;

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
    for (const [positions, align, x] of /** @type {[number[], string, number][]} */ ([[queries, "right", LABEL - 8], [keys, "left", WIDTH - LABEL + 8]])) {
      context.textAlign = align;
      positions.forEach((position, place) => context.fillText(shortened(context, visible(text.tokens[position]), LABEL - 8), x, ROW * (place + 0.5)));
    }
  };
  return { title, width: WIDTH, height: ROW * Math.max(queries.length, keys.length), isVector: true, paint };
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
  return { title, width: HEADER + about.heads * (width + gap), height: HEADER + about.layers * (height + gap), isVector: true, paint };
}

/** @returns {Drawing} The statistics view. */
export function drawingOfStatistics(/** @type {string} */ title, /** @type {(at: number) => {number: string, background: [number, number, number]}} */ cellAt) {
  const cell = { width: 58, height: 34, gap: 3 };
  return drawingOfHeads(title, cell, (context, at, x, y) => {
    const { number, background } = cellAt(at);
    paintCell(context, number, background, x, y, cell.width, cell.height);
  });
}

/** @returns {Drawing} A copy of a canvas. */
export function copyOf(/** @type {string} */ title, canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  return { title, width, height, isVector: false, paint: (context) => context.drawImage(canvas, 0, 0, width, height) };
}
