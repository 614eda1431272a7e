// @ts-check
// The trace view: what one token attends to in each layer, as the mean of the selected heads.

import { fitted, FONT, isPrinting, pixelCanvas, roomIn, shortened } from "../canvas.js";
import { labelsOf } from "../cells.js";
import { about, layerName, layerOf } from "../data.js";
import { announce, fill, make } from "../dom.js";
import { headsInWords } from "../facts.js";
import { share } from "../numbers.js";
import { Pointing } from "../pointing.js";
import { ScaleLegend, Shading } from "../scale.js";
import { chosenHeads, currentText, curveOf, isSpecialHidden, keeping, queryOf, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfTrace } from "../tables.js";
import { colour, inkOn } from "../theme.js";
import { spelt, strongest, TokenList, visible } from "../tokens.js";
import { View } from "../view.js";
import { meanPrecision, shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const ROW = 30; // least height of a layer in CSS pixels
const HIGHEST = 56;
const NAME = 56; // width of the name of a layer
const SUMMARY = 330; // width of the strongest tokens of a layer
const NARROWEST = 640; // in a narrower box the strongest tokens are below the drawing
const PICTURE_WIDTH = 1100; // of a saved picture, at most
const WIDEST = 96; // of a cell
const NUMBERED = 36; // width of a cell that has room for a number
const LABELS = 96; // height of the names of tokens, at most
const BELOW = 100; // for the scale and the foot of the page

export class TraceView extends View {
  constructor() {
    super("trace", "Trace", ["heads", "filter", "special"], [
      { needs: [], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "special"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token", "curve"], draw: (state) => this.point(state) },
    ]);
  }

  build(section) {
    this.list = new TokenList(section, {
      name: "Queries", classes: "flow queries",
      point: (query) => change({ pointed: query === null ? null : { query, key: null } }),
      keep: (query) => change(keeping(now(), { query, key: null })),
    });
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "img" });
    this.legend = new ScaleLegend(false);
    this.summary = make("ol", { class: "trace-summary", "aria-label": "Strongest tokens of each layer" });
    this.box = make("div", { class: "trace" }, this.canvas, this.summary);
    section.append(this.line, this.box, this.legend.root);
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell) => this.read(cell),
      keep: (cell) => this.openLayer(cell),
    });
  }

  async load(/** @type {State} */ state) {
    const text = currentText(state);
    const layers = [];
    for (let layer = 0; layer < about.layers; layer++) layers.push(await layerOf(text, layer));
    if (this.drawn === state) this.layers = layers;
  }

  arrange(/** @type {State} */ state) {
    this.text = currentText(state);
    this.shown = shownPositions(state);
    this.heads = chosenHeads(state);
    this.list.show(this.text, this.shown.queries);
    this.frame = null; // until the next drawing, which lays it out
    this.matrices = this.layers.map((layer) =>
      this.heads.map((head) => shownMatrix(this.text, layer, head, isSpecialHidden(state))),
    );
  }

  point(/** @type {State} */ state) {
    this.query = queryOf(state, this.shown.queries);
    this.list.mark(this.query, state.token);
    if (this.isEmpty) {
      fill(this.line, "Select a head above to trace a token.");
      this.box.hidden = true;
      this.legend.root.hidden = true;
      return;
    }
    this.box.hidden = this.legend.root.hidden = false;
    this.means = this.matrices.map((matrices) => meanOf(matrices.map((matrix) => matrix.row(this.query))));
    this.precisions = this.matrices.map((matrices) => meanPrecision(matrices, this.query));
    this.paint(state);
    this.read(null);
  }

  paint(/** @type {State} */ state) {
    this.frame ??= this.layOut(roomIn(this.box), this.roomBelow());
    const mostOf = (/** @type {Float32Array} */ weights) =>
      this.shown.keys.reduce((most, key) => Math.max(most, weights[key]), 0);
    const most = Math.max(...this.means.map(mostOf));
    this.shading = new Shading({ curve: curveOf(state), most, size: this.text.size });
    this.paintOn(fitted(this.canvas, this.frame.width, this.frame.height), this.frame);
    this.canvas.setAttribute("aria-label", `Attention of ${visible(this.text.tokens[this.query])} in each layer`);
    this.summarise();
    this.legend.show(state, this.shading, "the same in all layers");
  }

  /** Return the height of the window below the top of the drawing. */
  roomBelow() {
    return isPrinting() ? 0 : window.innerHeight - this.box.getBoundingClientRect().top - window.scrollY - BELOW;
  }

  /**
   * Return the lengths of a drawing: of a cell, of the names of tokens above it, of a layer, and of the strongest
   * tokens beside it, which is 0 if they are below it.
   */
  layOut(/** @type {number} */ width, /** @type {number} */ room) {
    const { keys } = this.shown;
    const summary = width < NARROWEST || isPrinting() ? 0 : SUMMARY;
    const cell = Math.min(WIDEST, (width - NAME - summary) / Math.max(1, keys.length));
    const top = this.labelHeight(cell);
    const row = Math.min(HIGHEST, Math.max(ROW, Math.floor((room - top) / this.means.length)));
    return { cell, top, row, summary, width: NAME + cell * keys.length, height: top + row * this.means.length };
  }

  /** @returns {import("../cells.js").Label[]} */
  labels(/** @type {number} */ cell, /** @type {number | null} */ chosen) {
    return labelsOf(this.text, this.shown.keys, cell, chosen);
  }

  labelHeight(/** @type {number} */ cell) {
    const context = this.canvas.getContext("2d");
    context.font = `13px ${FONT}`;
    const longest = Math.max(0, ...this.labels(cell, null).map(({ name }) => context.measureText(name).width));
    return Math.min(LABELS, Math.ceil(longest) + 12);
  }

  paintOn(context, { cell, top, row }) {
    const { keys } = this.shown;
    const { shading } = this;
    context.textBaseline = "middle";
    this.paintLabels(context, cell, top);
    this.means.forEach((weights, layer) => {
      const y = top + row * layer;
      const pixels = Uint32Array.from(keys, (key) => shading.pixels[shading.step(weights[key])]);
      context.imageSmoothingEnabled = cell < 1;
      context.drawImage(pixelCanvas(keys.length, 1, pixels), NAME, y + 2, cell * keys.length, row - 4);
      context.font = `12px ${FONT}`;
      context.textAlign = "right";
      context.fillStyle = colour("muted");
      context.fillText(`layer ${layerName(layer)}`, NAME - 8, y + row / 2);
      if (cell < NUMBERED) return;
      context.textAlign = "center";
      keys.forEach((key, column) => {
        context.fillStyle = inkOn(shading.colour(weights[key]));
        context.fillText(
          shading.written(weights[key], this.precisions[layer]), NAME + (column + 0.5) * cell, y + row / 2, cell - 2);
      });
    });
  }

  paintLabels(context, cell, top) {
    context.font = `13px ${FONT}`;
    context.textAlign = "left";
    for (const { at, name, isChosen } of this.labels(cell, this.query)) {
      context.save();
      context.translate(NAME + (at + 0.5) * cell, top - 5);
      context.rotate(-Math.PI / 2);
      context.fillStyle = colour(isChosen ? "accent" : "ink");
      context.fillText(shortened(context, name, top - 10), 0, 0);
      context.restore();
    }
  }

  /** Return the strongest tokens of a layer with their weights. */
  strongestIn(/** @type {number} */ layer) {
    const weights = this.means[layer];
    return strongest(this.shown.keys, (key) => weights[key], 3)
      .map(({ position, weight }) => `${visible(this.text.tokens[position])} ${share(weight, this.precisions[layer])}`)
      .join(" · ");
  }

  /** List the strongest tokens of each layer, beside its row if there is room. */
  summarise() {
    const { top, row, summary } = this.frame;
    this.box.classList.toggle("beside", summary > 0);
    this.summary.style.paddingTop = summary ? `${top}px` : "";
    this.summary.style.setProperty("--row", `${row}px`);
    fill(
      this.summary,
      ...this.means.map((_, layer) =>
        make(
          "li",
          {},
          make("button", {
            type: "button",
            title: `Open layer ${layerName(layer)}`,
            onclick: () => this.openLayer({ layer }),
          }, make("span", { class: "quiet", text: `layer ${layerName(layer)}` }),
            make("span", { text: this.strongestIn(layer) })),
        ),
      ),
    );
  }

  paintSummary(context, { top, row, width, summary }) {
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillStyle = colour("ink");
    context.font = `12px ${FONT}`;
    this.means.forEach((_, layer) => {
      const text = shortened(context, this.strongestIn(layer), summary - 14);
      context.fillText(text, width + 14, top + row * (layer + 0.5));
    });
  }

  get isEmpty() {
    return this.query === null || !this.heads.length;
  }

  table() {
    return this.isEmpty ? null : tableOfTrace(this.text, this.query, this.shown.keys, this.means, this.precisions);
  }

  drawing() {
    if (this.isEmpty) return null;
    const frame = this.layOut(PICTURE_WIDTH, 0);
    return {
      title: `${visible(this.text.tokens[this.query])} in each layer, ${headsInWords(this.heads)}`,
      width: frame.width + frame.summary,
      height: frame.height,
      paint: (context) => {
        this.paintOn(context, frame);
        this.paintSummary(context, frame);
      },
    };
  }

  fileWords() {
    return [`token-${this.query}`, ...(this.heads.length === 1 ? [`head-${this.heads[0]}`] : [])];
  }

  /** Return the layer and the key at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame || this.box.hidden) return null;
    const layer = Math.floor((event.offsetY - this.frame.top) / this.frame.row);
    const key = this.shown.keys[Math.floor((event.offsetX - NAME) / this.frame.cell)];
    return layer < 0 || layer >= this.means.length || key === undefined ? null : { layer, key };
  }

  /** Show the layer of a cell in the head view, with the token kept. */
  openLayer({ layer }) {
    change({ view: "heads", layer, token: this.query, key: null });
  }

  read(cell) {
    const name = spelt(this.text.tokens[this.query], { class: "name" });
    if (cell === null) {
      fill(
        this.line,
        name,
        ` in each layer, ${headsInWords(this.heads)}. ` +
          "Point at another token to trace it; click a cell to open its layer.",
      );
      return;
    }
    const weight = share(this.means[cell.layer][cell.key], this.precisions[cell.layer]);
    fill(
      this.line,
      name,
      " → ",
      spelt(this.text.tokens[cell.key], { class: "name" }),
      ` in layer ${layerName(cell.layer)}: `,
      make("strong", { text: weight }),
    );
    announce(`layer ${layerName(cell.layer)}, ${visible(this.text.tokens[cell.key])}: ${weight}`);
  }
}

/** Return the elementwise mean of rows of weights. */
function meanOf(/** @type {Float32Array[]} */ rows) {
  const mean = new Float32Array(rows[0].length);
  for (const row of rows) row.forEach((weight, key) => (mean[key] += weight / rows.length));
  return mean;
}
