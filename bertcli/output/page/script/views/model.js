// @ts-check
// The model view: a thumbnail of every head's matrix.

import { silentCanvas } from "../canvas.js";
import { about, layerName, layerOf } from "../data.js";
import { make } from "../dom.js";
import { drawingOfHeads } from "../drawings.js";
import { Enlargement } from "../enlargement.js";
import { inBrief } from "../facts.js";
import { HeadGrid, openHead } from "../grid.js";
import { ScaleLegend, Shading } from "../scale.js";
import { currentText, isSpecialHidden, placeOfHead, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfHeads, tableOfMatrix } from "../tables.js";
import { Thumbnail } from "../thumbnail.js";
import { labelOf } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const HINT = "Rows are layers, columns are heads. Click a thumbnail to enlarge it, and again to open the head.";

export class ModelView extends View {
  constructor() {
    super("model", "Model", ["drawing", "filter", "special", "find"], [
      { needs: ["find"], draw: (state) => this.dim(state) },
      { needs: ["filter", "special"], draw: (state) => this.read(state) },
      { needs: ["curve", "extent", "drawing"], draw: (state) => this.paint(state) },
      { needs: ["enlarged"], draw: (state) => this.enlarge(state) },
    ]);
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    /** @type {any[]} */
    this.canvases = [];
    this.grid = new HeadGrid("thumbnails", "All heads", (layer, head) => this.thumbnail(layer, head), {
      point: (place, isFocus) => this.pointAt(place, isFocus),
      keep: (place) => this.keep(place),
    });
    this.legend = new ScaleLegend(true);
    const main = make("div", { class: "thumbnail-stage" }, make("div", { class: "wide" }, this.grid.root));
    section.append(this.line, main, this.legend.root);
    this.enlargement = new Enlargement(main, { open: () => this.keep(placeOfHead(now().enlarged)), close: () => this.close() });
    this.pictured = "";
    /** @type {Thumbnail[]} */
    this.pictures = [];
    this.pointAt(null);
  }

  thumbnail(layer, head) {
    const canvas = silentCanvas();
    this.canvases.push(canvas);
    return make("button", {
      type: "button", class: "thumbnail", "data-layer": layer, "data-head": head, "aria-label": `layer ${layerName(layer)}, head ${head}`,
    }, canvas);
  }

  dim(/** @type {State} */ state) {
    this.grid.dimOthers(state);
  }

  /** Return the weights of a head. */
  async matrixOf(/** @type {State} */ state, /** @type {number} */ layer, /** @type {number} */ head) {
    const text = currentText(state);
    return shownMatrix(text, await layerOf(text, layer), head, isSpecialHidden(state));
  }

  async read(/** @type {State} */ state) {
    const rows = shownPositions(state);
    const asked = JSON.stringify([currentText(state).number, rows]);
    if (asked === this.pictured) return undefined;
    this.pictured = "";
    for (let layer = 0; layer < about.layers; layer++) {
      for (let head = 0; head < about.heads; head++) {
        const matrix = await this.matrixOf(state, layer, head);
        if (this.drawn !== state) return undefined;
        const at = layer * about.heads + head;
        this.pictures[at] = new Thumbnail(matrix, rows);
        if (state.extent === "head") this.paintOne(state, at, 0);
      }
      await new Promise((resume) => setTimeout(resume));
    }
    this.pictured = asked;
    return undefined;
  }

  /** Return the scale of a thumbnail. most: The largest weight of all heads. */
  shadingOf(/** @type {State} */ { curve, extent }, /** @type {number} */ at, /** @type {number} */ most) {
    return new Shading({ curve, most: extent === "global" ? most : this.pictures[at].most });
  }

  get most() {
    return this.pictures.reduce((most, picture) => Math.max(most, picture.most), 0);
  }

  paint(/** @type {State} */ state) {
    const { most } = this;
    this.pictures.forEach((_, at) => this.paintOne(state, at, most));
    const isGlobal = state.extent === "global";
    this.legend.show(state, isGlobal ? this.shadingOf(state, 0, most) : null, isGlobal ? "" : "weight of each head");
    this.legend.bar.classList.toggle("opacity", state.drawing === "lines");
  }

  paintOne(/** @type {State} */ state, /** @type {number} */ at, /** @type {number} */ most) {
    const canvas = this.canvases[at];
    canvas.classList.toggle("smooth", state.drawing === "lines");
    const shading = this.shadingOf(state, at, most);
    if (state.drawing === "lines") this.pictures[at].paintLines(canvas, shading, at % about.heads);
    else this.pictures[at].paintCells(canvas, shading);
  }

  async enlarge(/** @type {State} */ state) {
    const at = state.enlarged;
    this.grid.cells.forEach((cell, place) => cell.setAttribute("aria-expanded", String(place === at)));
    if (at === null) {
      this.enlargement.hide();
      return;
    }
    const { layer, head } = placeOfHead(at);
    const matrix = await this.matrixOf(state, layer, head);
    if (this.drawn !== state) return;
    const text = currentText(state);
    const picture = { text, rows: shownPositions(state), matrix, shading: this.shadingOf(state, at, this.most) };
    this.enlarged = picture;
    const label = labelOf(text, layer, head);
    const title = `Layer ${layerName(layer)}, head ${head}${label ? ` · ${label}` : ""}`;
    this.enlargement.show(this.grid.cells[at], title, picture, state.drawing === "lines" ? this.pictures[at] : null, head);
  }

  /** Return the matrix of the enlarged head, or the statistics of all. */
  table(/** @type {State} */ state) {
    return state.enlarged === null ? tableOfHeads(currentText(state)) : tableOfMatrix(this.enlarged);
  }

  drawing() {
    const side = 90;
    return drawingOfHeads("Attention of all heads", { width: side, height: side, gap: 6 }, (context, at, x, y) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(this.canvases[at], x, y, side, side);
    });
  }

  fileWords(/** @type {State} */ { enlarged }) {
    if (enlarged === null) return [];
    const { layer, head } = placeOfHead(enlarged);
    return [`layer-${layerName(layer)}`, `head-${head}`];
  }

  /** Enlarge a head, or open it if it is enlarged already. */
  keep({ layer, head }) {
    const at = layer * about.heads + head;
    if (now().enlarged === at) openHead(layer, head);
    else change({ enlarged: at });
  }

  close() {
    const cell = this.grid.cells[now().enlarged];
    change({ enlarged: null });
    cell?.focus({ preventScroll: true });
  }

  /** Report the head under the pointer or the focus. While a head is enlarged, the keys enlarge the next one. */
  pointAt(place, isFocus = false) {
    if (place && isFocus && now().enlarged !== null) change({ enlarged: place.layer * about.heads + place.head });
    this.line.replaceChildren(...(place === null
      ? [make("span", { class: "hint", text: HINT })]
      : [make("strong", { text: `Layer ${layerName(place.layer)}, head ${place.head}` }), ` · ${inBrief(currentText(now()), place.layer, place.head)}`]));
  }
}
