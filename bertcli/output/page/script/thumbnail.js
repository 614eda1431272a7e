// @ts-check
// The matrix of a head in few cells, painted as cells or as lines.

import { paintFlow } from "./flow.js";
import { headColour } from "./theme.js";

/** @typedef {import("./cells.js").Colours} Colours */

const LARGEST = 96; // cells a side; in a longer text each cell has the largest weight of a block
const LINES_SIDE = 192; // pixels of a canvas with lines
const LINES_OF_ROW = 3; // on average; weaker ones are not drawn

/** A matrix, reduced to at most LARGEST rows and columns. */
export class Thumbnail {
  constructor(
    /** @type {import("./data.js").RowMatrix} */ matrix,
    /** @type {import("./zoom.js").Rows} */ { queries, keys },
  ) {
    this.height = Math.min(queries.length, LARGEST) || 1;
    this.width = Math.min(keys.length, LARGEST) || 1;
    /** The largest weight of each block, or the difference that is farthest from 0; NaN where there is none. */
    this.cells = new Float32Array(this.width * this.height).fill(NaN);
    const columns = Uint32Array.from(keys, (_, column) => Math.floor((column * this.width) / keys.length));
    queries.forEach((query, row) => {
      const weights = matrix.row(query);
      const to = this.width * Math.floor((row * this.height) / queries.length);
      for (let column = 0; column < keys.length; column++) {
        const weight = weights[keys[column]];
        const cell = to + columns[column];
        if (Math.abs(weight) > Math.abs(this.cells[cell]) || Number.isNaN(this.cells[cell])) this.cells[cell] = weight;
      }
    });
    this.most = this.cells.reduce((largest, weight) => Math.max(largest, Math.abs(weight) || 0), 0);
  }

  paintCells(canvas, /** @type {Colours} */ shading) {
    const { width, height, cells } = this;
    const colours = shading.pixels;
    const image = new ImageData(width, height);
    new Uint32Array(image.data.buffer).set(Uint32Array.from(cells, (weight) => colours[shading.step(weight)]));
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  paintLines(canvas, /** @type {Colours} */ shading, /** @type {number} */ head) {
    Object.assign(canvas, { width: LINES_SIDE, height: LINES_SIDE });
    const rows = { rowOfLeft: LINES_SIDE / this.height, rowOfRight: LINES_SIDE / this.width };
    paintFlow(
      canvas.getContext("2d"),
      { left: 4, right: LINES_SIDE - 4, top: 0, ...rows },
      this.links(shading, head),
      Math.min(2.2, Math.max(0.5, 0.35 * rows.rowOfLeft)),
    );
  }

  /** @returns {import("./flow.js").Link[]} The strongest cells as lines. */
  links(/** @type {Colours} */ shading, /** @type {number} */ head) {
    const count = LINES_OF_ROW * this.height;
    const sizes = this.cells.map((weight) => Math.abs(weight) || 0);
    const least = sizes.toSorted().at(-count) ?? 0;
    const strokeOf = shading.stroke ?? (() => headColour(head));
    /** @type {import("./flow.js").Link[]} */
    const found = [];
    this.cells.forEach((weight, at) => {
      if (sizes[at] < least || sizes[at] === 0) return;
      found.push({
        from: Math.floor(at / this.width),
        to: at % this.width,
        strength: shading.strength(weight),
        colour: strokeOf(weight),
      });
    });
    return found;
  }
}
