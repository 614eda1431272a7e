// @ts-check
// The trace view: what one token attends to in each layer, as the mean of the selected heads.

import { fitted, FONT, pixelCanvas, roomIn, shortened } from "../canvas.js";
import { about, layerName, layerOf } from "../data.js";
import { announce, fill, make } from "../dom.js";
import { share } from "../numbers.js";
import { Pointing } from "../pointing.js";
import { scaleBar } from "../scale.js";
import { chosenHeads, currentText, focus, isSpecialHidden, keeping, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { colour, rampPixels } from "../theme.js";
import { spelt, strongest, TokenList, visible } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const ROW = 30; // height of a layer in CSS pixels
const NAME = 56; // width of the name of a layer
const SUMMARY = 260; // width of the strongest tokens of a layer
const NARROWEST = 640; // a narrower drawing leaves out the strongest tokens
const LABELLED = 13; // width of a cell from which tokens are named
const LABELS = 96; // height of the names of tokens

export class TraceView extends View {
  constructor() {
    super("trace", "Trace", ["heads", "filter", "special"], [
      { needs: [], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "special"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token"], draw: (state) => this.point(state) },
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
    this.legend = make("div");
    section.append(this.line, make("div", { class: "trace" }, this.canvas), this.legend);
    this.box = this.canvas.parentElement;
    this.pointing = new Pointing(this.canvas, { itemAt: (event) => this.cellAt(event), point: (cell) => this.read(cell), keep: (cell) => this.openLayer(cell) });
  }

  async load(/** @type {State} */ state) {
    const text = currentText(state);
    this.layers = [];
    for (let layer = 0; layer < about.layers; layer++) this.layers.push(await layerOf(text, layer));
  }

  arrange(/** @type {State} */ state) {
    this.text = currentText(state);
    this.shown = shownPositions(state);
    this.heads = chosenHeads(state);
    this.list.show(this.text, this.shown.queries);
    this.matrices = this.layers.map((layer) => this.heads.map((head) => shownMatrix(this.text, layer, head, isSpecialHidden(state))));
  }

  point(/** @type {State} */ state) {
    const query = focus(state)?.query;
    this.query = this.shown.queries.includes(query) ? query : (this.shown.queries.find((position) => this.text.tokens[position].length > 3) ?? this.shown.queries[0] ?? null);
    this.list.mark(this.query, state.token);
    if (this.query === null || !this.heads.length) {
      fill(this.line, "Select a head above to trace a token.");
      this.canvas.hidden = true;
      fill(this.legend);
      return;
    }
    this.canvas.hidden = false;
    this.means = this.matrices.map((matrices) => meanOf(matrices.map((matrix) => matrix.row(this.query))));
    this.paint();
    this.read(null);
  }

  paint() {
    const { keys } = this.shown;
    const width = roomIn(this.box);
    const summary = width < NARROWEST ? 0 : SUMMARY;
    const cell = Math.min(34, (width - NAME - summary) / Math.max(1, keys.length));
    const top = cell >= LABELLED ? LABELS : 8;
    this.frame = { cell, top };
    const context = fitted(this.canvas, width, top + ROW * this.means.length);
    context.textBaseline = "middle";
    this.most = Math.max(...this.means.map((weights) => keys.reduce((most, key) => Math.max(most, weights[key]), 0)), 1e-9);
    if (cell >= LABELLED) this.paintLabels(context, cell, top);
    const colours = rampPixels();
    this.means.forEach((weights, layer) => {
      const y = top + ROW * layer;
      context.imageSmoothingEnabled = false;
      context.drawImage(pixelCanvas(keys.length, 1, Uint32Array.from(keys, (key) => colours[Math.round(255 * Math.sqrt(weights[key] / this.most))])),
        NAME, y + 2, cell * keys.length, ROW - 4);
      context.font = `12px ${FONT}`;
      context.textAlign = "right";
      context.fillStyle = colour("muted");
      context.fillText(`layer ${layerName(layer)}`, NAME - 8, y + ROW / 2);
      if (summary) this.paintSummary(context, weights, NAME + cell * keys.length + 14, y + ROW / 2, summary - 14);
    });
    this.canvas.setAttribute("aria-label", `Attention of ${visible(this.text.tokens[this.query])} in each layer`);
    fill(this.legend, scaleBar(["0", share(this.most)], make("span", { class: "quiet", text: "root scale, the same in all layers" })));
  }

  paintLabels(context, cell, top) {
    context.font = `13px ${FONT}`;
    context.textAlign = "left";
    this.shown.keys.forEach((key, column) => {
      context.save();
      context.translate(NAME + (column + 0.5) * cell, top - 5);
      context.rotate(-Math.PI / 2);
      context.fillStyle = colour(key === this.query ? "accent" : "ink");
      context.fillText(shortened(context, visible(this.text.tokens[key]), top - 10), 0, 0);
      context.restore();
    });
  }

  paintSummary(context, weights, left, middle, width) {
    const found = strongest(this.shown.keys, (key) => weights[key], 3);
    context.textAlign = "left";
    context.fillStyle = colour("ink");
    const text = found.map(({ position, weight }) => `${visible(this.text.tokens[position])} ${share(weight)}`).join(" · ");
    context.fillText(shortened(context, text, width), left, middle);
  }

  /** Return the layer and the key at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame || this.canvas.hidden) return null;
    const layer = Math.floor((event.offsetY - this.frame.top) / ROW);
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
      const of = this.heads.length === 1 ? `head ${this.heads[0]}` : `mean of ${this.heads.length} heads`;
      fill(this.line, name, ` in each layer, ${of}. Point at another token to trace it; click a cell to open its layer.`);
      return;
    }
    const weight = share(this.means[cell.layer][cell.key]);
    fill(this.line, name, " → ", spelt(this.text.tokens[cell.key], { class: "name" }), ` in layer ${layerName(cell.layer)}: `,
      make("strong", { text: weight }));
    announce(`layer ${layerName(cell.layer)}, ${visible(this.text.tokens[cell.key])}: ${weight}`);
  }
}

/** Return the elementwise mean of rows of weights. */
function meanOf(/** @type {Float32Array[]} */ rows) {
  const mean = new Float32Array(rows[0].length);
  for (const row of rows) row.forEach((weight, key) => (mean[key] += weight / rows.length));
  return mean;
}
