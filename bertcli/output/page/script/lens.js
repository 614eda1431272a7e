// @ts-check
// A lens: a cell with its neighbours, large enough for their tokens and numbers.

import { fitted, silentCanvas } from "./canvas.js";
import { cellImage, paintMatrix } from "./cells.js";
import { make } from "./dom.js";

const NEIGHBOURS = 3; // on each side, if the owner of the lens does not say another number
const CELL = 30; // CSS pixels, as are LEFT and TOP, the room for tokens
const LEFT = 78;
const TOP = 70;

/** Return the height of a lens with this number of neighbours on each side of a cell. */
export const lensHeight = (/** @type {number} */ neighbours) => TOP + CELL * (2 * neighbours + 1);

export class Lens {
  constructor(/** @type {any} */ parent, neighbours = NEIGHBOURS) {
    this.neighbours = neighbours;
    this.canvas = silentCanvas();
    this.caption = make("p", { class: "quiet" });
    this.root = make("div", { class: "lens" }, this.caption, this.canvas);
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
    const rows = { queries: this.around(queries, place.query), keys: this.around(keys, place.key) };
    const near = { ...picture, rows };
    this.caption.textContent = caption;
    const [width, height] = [LEFT + CELL * rows.keys.length, TOP + CELL * rows.queries.length];
    const frame = { left: LEFT, top: TOP, across: CELL, down: CELL, cell: CELL, width, height };
    paintMatrix(fitted(this.canvas, width, height), frame, near, cellImage(near), place);
  }

  /** Return a position with its neighbours, or those around its place if it is not among the positions. */
  around(/** @type {number[]} */ positions, /** @type {number} */ position) {
    const count = 2 * this.neighbours + 1;
    const at = positions.findIndex((one) => one >= position);
    const first = Math.max(0, Math.min((at < 0 ? positions.length : at) - this.neighbours, positions.length - count));
    return positions.slice(first, first + count);
  }
}
