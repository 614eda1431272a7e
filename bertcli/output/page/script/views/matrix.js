// @ts-check
// The matrix view: the weights of one head, one row per query and one column per key.

import { layerName, layerOf } from "../data.js";
import { make } from "../dom.js";
import { factsOf } from "../facts.js";
import { Heatmap } from "../heatmap.js";
import { largestIn, largestWeight } from "../scale.js";
import { currentText, isSpecialHidden, shownPositions, soleHead } from "../state.js";
import { tableOfMatrix } from "../tables.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

export class MatrixView extends View {
  constructor() {
    super("matrix", "Matrix", ["layer", "head", "filter", "least", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "special"], draw: (state) => this.read(state) },
      { needs: ["extent"], draw: (state) => this.scale(state) },
      { needs: ["least", "zoom", "curve"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token", "key"], draw: (state) => this.heatmap.draw(state) },
    ]);
  }

  build(section) {
    const main = make("div", { class: "stage" });
    const side = make("div", { class: "inset" });
    this.facts = make("div");
    const readout = make("aside", { class: "readout", "aria-label": "Statistics of the head" }, side, this.facts);
    section.append(make("div", { class: "split" }, main, readout));
    this.heatmap = new Heatmap(main, side, true);
  }

  async load(/** @type {State} */ state) {
    this.layer = await layerOf(currentText(state), state.layer);
  }

  read(/** @type {State} */ state) {
    const head = soleHead(state);
    this.rows = shownPositions(state);
    this.matrix = shownMatrix(currentText(state), this.layer, head, isSpecialHidden(state));
    this.facts.replaceChildren(factsOf(currentText(state), state.layer, head));
  }

  scale(/** @type {State} */ state) {
    this.most = largestIn(this.matrix, this.rows);
    return state.extent === "global" ? largestWeight(state).then((most) => void (this.most = most)) : undefined;
  }

  arrange(/** @type {State} */ state) {
    const name = `Weights of layer ${layerName(state.layer)}, head ${soleHead(state)}`;
    this.caption = name;
    this.heatmap.show(state, { text: currentText(state), rows: this.rows, matrix: this.matrix, most: this.most, name });
  }

  table() {
    return tableOfMatrix(this.heatmap.picture);
  }

  drawing() {
    return this.heatmap.drawing(this.caption);
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`, `head-${soleHead(state)}`];
  }
}
