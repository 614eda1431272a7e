// @ts-check
// A comparison as files: its drawing and its table.

import { positionOn } from "./alignment.js";
import { FONT, shortened } from "./canvas.js";
import { weightOrNull } from "./tables.js";
import { colour } from "./theme.js";

/** @typedef {import("./comparison.js").Comparison} Comparison */

const GAP = 28; // between panels
const HEADING = 22; // height
const KEY = 30; // height of the key to the colours
const KEY_WIDTH = 260; // at least

/**
 * Return the panels beside each other, with a key to the colours of the last.
 *
 * @param {string} title
 * @param {import("./panel.js").MatrixPanel[]} panels
 * @param {string[]} headings
 * @param {{name: string, words: string}[]} key Colours of the style sheet, and what they mean.
 * @returns {import("./drawings.js").Drawing}
 */
export function drawingOfPanels(title, panels, headings, key) {
  const lefts = panels.map((_, at) => panels.slice(0, at).reduce((left, { frame }) => left + frame.width + GAP, 0));
  const height = HEADING + KEY + Math.max(...panels.map(({ frame }) => frame.height));
  const paint = (context) => {
    const write = (
      /** @type {string} */ text,
      /** @type {number} */ x,
      /** @type {number} */ y,
      /** @type {number} */ width,
      /** @type {string} */ ink,
    ) => {
      context.font = `13px ${FONT}`;
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.fillStyle = colour(ink);
      context.fillText(shortened(context, text, width), x, y);
    };
    panels.forEach((panel, at) => {
      write(headings[at], lefts[at], HEADING / 3, panel.frame.width, "ink");
      context.save();
      context.translate(lefts[at], HEADING);
      panel.paint(context);
      context.restore();
    });
    let x = lefts.at(-1);
    for (const { name, words } of key) {
      context.fillStyle = colour(name);
      context.fillRect(x, height - KEY / 2 - 5, 10, 10);
      write(words, x + 15, height - KEY / 2, 200, "muted");
      x += 15 + context.measureText(words).width + 16;
    }
  };
  return { title, width: lefts.at(-1) + Math.max(panels.at(-1).frame.width, KEY_WIDTH), height, paint };
}

/**
 * Return a row for each query and key, with both weights and their difference.
 *
 * @param {Comparison} comparison
 * @param {import("./zoom.js").Rows} rows The slots to list.
 * @returns {import("./tables.js").Table}
 */
export function tableOfComparison({ slots, sides, isOfTexts, matrices, difference }, { queries, keys }) {
  const columnsOf = (/** @type {string} */ prefix) =>
    ["query_position", "query", "key_position", "key"].map((name) => prefix + name);
  const names = sides.map(({ name }) => name.replace(" ", "_"));
  const placeOn = (/** @type {0 | 1} */ side, /** @type {number} */ query, /** @type {number} */ key) =>
    [query, key].flatMap((at) => {
      const position = positionOn(slots[at], side);
      return [position, position === null ? null : sides[side].text.tokens[position]];
    });
  const written = (/** @type {number} */ number, /** @type {number} */ precision) =>
    Number.isNaN(number) ? null : weightOrNull(number, precision);
  return {
    columns: [...columnsOf(""), ...(isOfTexts ? columnsOf("other_") : []), ...names, "difference"],
    rows: queries.flatMap((query) => keys.map((key) => [
      ...placeOn(0, query, key), ...(isOfTexts ? placeOn(1, query, key) : []),
      ...matrices.map((matrix) => written(matrix.at(query, key), matrix.precision(query))),
      written(difference.at(query, key), difference.precisionAt(query, key)),
    ])),
  };
}
