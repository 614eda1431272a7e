// @ts-check
// The model view: a thumbnail of every head's matrix.

import { silentCanvas } from "../canvas.js";
import { about, layerOf } from "../data.js";
import { make } from "../dom.js";
import { inBrief } from "../facts.js";
import { HeadGrid } from "../grid.js";
import { currentText, isSpecialHidden, shownPositions } from "../state.js";
import { now } from "../store.js";
import { rampPixels } from "../theme.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */
/** @typedef {{width: number, height: number, steps: Uint8Array}} Picture steps: 0 to 255 */

const LARGEST_THUMBNAIL = 96; // pixels a side; for a longer text each pixel shows the largest weight of a block
const HINT = "Rows are layers, columns are heads. Each thumbnail is scaled to the largest weight of its head. Click a thumbnail to open the head.";

export class ModelView extends View {
  constructor() {
    super("model", "Model", ["filter", "special", "find"], [
      { needs: ["find"], draw: (state) => this.dim(state) },
      { needs: ["filter", "special"], draw: (state) => this.picture(state) },
    ]);
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    /** @type {any[]} */
    this.canvases = [];
    this.grid = new HeadGrid("thumbnails", "All heads", (layer, head) => this.thumbnail(layer, head), (place) => this.read(place));
    section.append(this.line, make("div", { class: "wide" }, this.grid.root));
    this.pictured = "";
    /** @type {Picture[]} */
    this.pictures = [];
    this.read(null);
  }

  thumbnail(layer, head) {
    const canvas = silentCanvas();
    this.canvases.push(canvas);
    return make("button", {
      type: "button", class: "thumbnail", "data-layer": layer, "data-head": head, "aria-label": `layer ${layer}, head ${head}`,
    }, canvas);
  }

  dim(/** @type {State} */ state) {
    this.grid.dimOthers(state);
  }

  async picture(/** @type {State} */ state) {
    const text = currentText(state);
    const rows = shownPositions(state);
    const asked = `${text.number}:${state.filter}:${isSpecialHidden(state)}`;
    if (asked === this.pictured) return this.paint();
    this.pictured = "";
    for (let layer = 0; layer < about.layers; layer++) {
      const arrays = await layerOf(text, layer);
      if (this.drawn !== state) return undefined;
      for (let head = 0; head < about.heads; head++) {
        const at = layer * about.heads + head;
        this.pictures[at] = pictureOf(shownMatrix(text, arrays, head, isSpecialHidden(state)), rows);
        paintPicture(this.canvases[at], this.pictures[at]);
      }
      await new Promise((resume) => setTimeout(resume));
    }
    this.pictured = asked;
    return undefined;
  }

  paint() {
    this.pictures.forEach((picture, at) => paintPicture(this.canvases[at], picture));
  }

  read(place) {
    this.line.replaceChildren(...(place === null
      ? [make("span", { class: "hint", text: HINT })]
      : [make("strong", { text: `Layer ${place.layer}, head ${place.head}` }), ` · ${inBrief(currentText(now()), place.layer, place.head)}`]));
  }
}

/** Scale a matrix down to a thumbnail: the root of each weight's share of the largest. */
function pictureOf(matrix, { queries, keys }) {
  const height = Math.min(queries.length, LARGEST_THUMBNAIL) || 1;
  const width = Math.min(keys.length, LARGEST_THUMBNAIL) || 1;
  const cells = new Float32Array(width * height);
  const columns = Uint32Array.from(keys, (_, column) => Math.floor((column * width) / keys.length));
  queries.forEach((query, row) => {
    const weights = matrix.row(query);
    const to = width * Math.floor((row * height) / queries.length);
    for (let column = 0; column < keys.length; column++) {
      const weight = weights[keys[column]];
      const cell = to + columns[column];
      if (weight > cells[cell]) cells[cell] = weight;
    }
  });
  const most = cells.reduce((largest, weight) => Math.max(largest, weight), 1e-9);
  return { width, height, steps: Uint8Array.from(cells, (weight) => Math.round(255 * Math.sqrt(weight / most))) };
}

function paintPicture(canvas, /** @type {Picture} */ { width, height, steps }) {
  const colours = rampPixels();
  const image = new ImageData(width, height);
  new Uint32Array(image.data.buffer).set(Uint32Array.from(steps, (step) => colours[step]));
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
