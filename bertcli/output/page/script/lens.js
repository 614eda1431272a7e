// @ts-check
// A lens: a cell with its neighbours, large enough for their tokens and numbers.

import { fitted, silentCanvas } from "./canvas.js";
import { cellImage, paintMatrix } from "./cells.js";
import { make } from "./dom.js";

const NEIGHBOURS = 3; // on each side
const CELL = 30; // CSS pixels, as are LEFT and TOP, the room for tokens
const LEFT = 78;
const TOP = 70;

export class Lens {
  constructor(parent) {
    this.canvas = silentCanvas();
    this.caption = make("p", { class: "quiet" });
    this.root = make("section", { class: "lens", "aria-label": "Neighbours" }, this.caption, this.canvas);
    parent.append(this.root);
  }

  /**
   * Show the cells around a place.
   *
   * @param {import("./cells.js").Picture} picture With all rows and columns.
   * @param {{query: number, key: number}} place
   * @param {string} caption
   */
  show(picture, place, caption) {
    const { queries, keys } = picture.rows;
    const rows = { queries: around(queries, place.query), keys: around(keys, place.key) };
    const near = { ...picture, rows };
    this.caption.textContent = caption;
    const [width, height] = [LEFT + CELL * rows.keys.length, TOP + CELL * rows.queries.length];
    const frame = { left: LEFT, top: TOP, across: CELL, down: CELL, cell: CELL, width, height };
    paintMatrix(fitted(this.canvas, width, height), frame, near, cellImage(near), place);
  }
}

function around(/** @type {number[]} */ positions, /** @type {number} */ position) {
  const count = 2 * NEIGHBOURS + 1;
  const first = Math.max(0, Math.min(positions.indexOf(position) - NEIGHBOURS, positions.length - count));
  return positions.slice(first, first + count);
}
