// @ts-check
// The trace view: what one token attends to in each layer, as the mean of the selected heads.

import { fitted, FONT, pixelCanvas, roomIn, shortened } from "../canvas.js";
import { about, layerName, layerOf } from "../data.js";
import { announce, fill, make } from "../dom.js";
import { headsInWords } from "../facts.js";
import { share } from "../numbers.js";
import { Pointing } from "../pointing.js";
import { scaleBar } from "../scale.js";
import { chosenHeads, currentText, isSpecialHidden, keeping, queryOf, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfTrace } from "../tables.js";
import { colour, rampPixels } from "../theme.js";
import { spelt, strongest, TokenList, visible } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const ROW = 30; // height of a layer in CSS pixels
const NAME = 56; // width of the name of a layer
const SUMMARY = 260; // width of the strongest tokens of a layer
const NARROWEST = 640; // a narrower drawing leaves out the strongest tokens
const PICTURE_WIDTH = 1100; // of a saved picture, at most
const LABELLED = 13; // width of a cell from which tokens are named
const LABELS = 96; // height of the names of tokens, at most

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
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell) => this.read(cell),
      keep: (cell) => this.openLayer(cell),
    });
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
    this.matrices = this.layers.map((layer) =>
      this.heads.map((head) => shownMatrix(this.text, layer, head, isSpecialHidden(state))),
    );
  }

  point(/** @type {State} */ state) {
    this.query = queryOf(state, this.shown.queries);
    this.list.mark(this.query, state.token);
    if (this.isEmpty) {
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
    const width = roomIn(this.box);
    this.frame = this.layOut(width);
    this.most = Math.max(
      ...this.means.map((weights) => this.shown.keys.reduce((most, key) => Math.max(most, weights[key]), 0)),
      1e-9,
    );
    this.paintOn(fitted(this.canvas, width, this.frame.height), this.frame);
    this.canvas.setAttribute("aria-label", `Attention of ${visible(this.text.tokens[this.query])} in each layer`);
    fill(
      this.legend,
      scaleBar(["0", share(this.most)], make("span", { class: "quiet", text: "root scale, the same in all layers" })),
    );
  }

  /** Return the size of a cell, the height of the names of tokens and of all, and the width of the strongest tokens. */
  layOut(/** @type {number} */ width) {
    const summary = width < NARROWEST ? 0 : SUMMARY;
    const cell = Math.min(34, (width - NAME - summary) / Math.max(1, this.shown.keys.length));
    const top = cell >= LABELLED ? this.labelHeight() : 8;
    return { cell, top, summary, height: top + ROW * this.means.length };
  }

  labelHeight() {
    const context = this.canvas.getContext("2d");
    context.font = `13px ${FONT}`;
    const longest = Math.max(
      ...this.shown.keys.map((key) => context.measureText(visible(this.text.tokens[key])).width),
    );
    return Math.min(LABELS, Math.ceil(longest) + 12);
  }

  paintOn(context, { cell, top, summary }) {
    const { keys } = this.shown;
    const colours = rampPixels();
    context.textBaseline = "middle";
    if (cell >= LABELLED) this.paintLabels(context, cell, top);
    this.means.forEach((weights, layer) => {
      const y = top + ROW * layer;
      context.imageSmoothingEnabled = false;
      context.drawImage(
        pixelCanvas(
          keys.length,
          1,
          Uint32Array.from(keys, (key) => colours[Math.round(255 * Math.sqrt(weights[key] / this.most))]),
        ),
        NAME,
        y + 2,
        cell * keys.length,
        ROW - 4,
      );
      context.font = `12px ${FONT}`;
      context.textAlign = "right";
      context.fillStyle = colour("muted");
      context.fillText(`layer ${layerName(layer)}`, NAME - 8, y + ROW / 2);
      if (summary) this.paintSummary(context, weights, NAME + cell * keys.length + 14, y + ROW / 2, summary - 14);
    });
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
    const text = found
      .map(({ position, weight }) => `${visible(this.text.tokens[position])} ${share(weight)}`)
      .join(" · ");
    context.fillText(shortened(context, text, width), left, middle);
  }

  get isEmpty() {
    return this.query === null || !this.heads.length;
  }

  table() {
    return this.isEmpty ? null : tableOfTrace(this.text, this.query, this.shown.keys, this.means);
  }

  drawing() {
    if (this.isEmpty) return null;
    const frame = this.layOut(PICTURE_WIDTH);
    const width = NAME + frame.cell * this.shown.keys.length + frame.summary;
    return {
      title: `${visible(this.text.tokens[this.query])} in each layer, ${headsInWords(this.heads)}`,
      width,
      height: frame.height,
      paint: (context) => this.paintOn(context, frame),
    };
  }

  fileWords() {
    return [`token-${this.query}`, ...(this.heads.length === 1 ? [`head-${this.heads[0]}`] : [])];
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
      fill(
        this.line,
        name,
        ` in each layer, ${headsInWords(this.heads)}. ` +
          "Point at another token to trace it; click a cell to open its layer.",
      );
      return;
    }
    const weight = share(this.means[cell.layer][cell.key]);
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
