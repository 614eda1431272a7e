// @ts-check
// The matrix view: the weights of one head, one row per query and one column per key.

import { layerOf } from "../data.js";
import { make } from "../dom.js";
import { factsOf } from "../facts.js";
import { Heatmap } from "../heatmap.js";
import { currentText, isSpecialHidden, shownPositions, soleHead } from "../state.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

export class MatrixView extends View {
  constructor() {
    super("matrix", "Matrix", ["layer", "head", "filter", "least", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "least", "special"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token", "key"], draw: (state) => this.heatmap.draw(state) },
    ]);
  }

  build(section) {
    const main = make("div", { class: "stage" });
    this.facts = make("aside", { class: "readout", "aria-label": "Statistics of the head" });
    section.append(make("div", { class: "split" }, main, this.facts));
    this.heatmap = new Heatmap(main);
  }

  async load(/** @type {State} */ state) {
    this.layer = await layerOf(currentText(state), state.layer);
  }

  arrange(/** @type {State} */ state) {
    const head = soleHead(state);
    const text = currentText(state);
    const name = `Weights of layer ${state.layer}, head ${head}`;
    this.heatmap.show(text, shownPositions(state), shownMatrix(text, this.layer, head, isSpecialHidden(state)), state.least, name);
    this.facts.replaceChildren(factsOf(text, state.layer, head));
  }
}
