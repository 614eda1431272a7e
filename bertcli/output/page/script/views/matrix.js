// @ts-check
// The matrix view: the weights of one head, one row per query and one column per key, alone or compared with others.

import { layerName, layerOf } from "../data.js";
import { make } from "../dom.js";
import { factsOf } from "../facts.js";
import { Heatmap } from "../heatmap.js";
import { largestIn, largestWeight } from "../scale.js";
import { SideBySide } from "../sidebyside.js";
import { currentText, isSpecialHidden, shownPositions, soleHead } from "../state.js";
import { tableOfMatrix } from "../tables.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

export class MatrixView extends View {
  constructor() {
    super(
      "matrix",
      "Matrix",
      ["layer", "head", "filter", "least", "special", "compare"],
      [
        {
          needs: ["layer", "heads", "filter", "special", "compare", "pairs"],
          draw: (state) => this.choose(state).read(state),
        },
        { needs: ["extent"], draw: (state) => this.shown.scale(state) },
        { needs: ["least", "zoom", "curve"], draw: (state) => this.shown.arrange(state) },
        { needs: ["pointed", "token", "key"], draw: (state) => this.shown.draw(state) },
      ],
    );
  }

  build(section) {
    this.single = new SingleMatrix(section);
    /** @type {SideBySide | null} */
    this.pair = null; // built for the first comparison
    /** @type {SingleMatrix | SideBySide} */
    this.shown = this.single;
  }

  /** Show one matrix, or two that are compared. */
  choose(/** @type {State} */ { compare }) {
    if (compare) this.pair ??= new SideBySide(this.section);
    this.shown = compare ? this.pair : this.single;
    this.single.root.hidden = compare !== null;
    if (this.pair) this.pair.root.hidden = compare === null;
    return this.shown;
  }

  get navigator() {
    return this.shown.navigator;
  }

  table() {
    return this.shown.table();
  }

  drawing() {
    return this.shown.drawing();
  }

  fileWords(/** @type {State} */ state) {
    return this.shown.fileWords(state);
  }
}

class SingleMatrix {
  constructor(section) {
    const main = make("div", { class: "stage" });
    const side = make("div", { class: "inset" });
    this.facts = make("div");
    const readout = make("aside", { class: "readout", "aria-label": "Statistics of the head" }, side, this.facts);
    this.root = make("div", { class: "split" }, main, readout);
    section.append(this.root);
    this.heatmap = new Heatmap(main, side, true);
    this.navigator = this.heatmap.navigator;
  }

  async read(/** @type {State} */ state) {
    const [text, head] = [currentText(state), soleHead(state)];
    this.asked = state;
    const layer = await layerOf(text, state.layer);
    if (this.asked !== state) return;
    this.rows = shownPositions(state);
    this.matrix = shownMatrix(text, layer, head, isSpecialHidden(state));
    this.facts.replaceChildren(factsOf(text, state.layer, head, isSpecialHidden(state)));
  }

  scale(/** @type {State} */ state) {
    this.asked = state;
    this.most = largestIn(this.matrix, this.rows);
    if (state.extent !== "global") return undefined;
    return largestWeight(state).then((most) => {
      if (this.asked === state) this.most = most;
    });
  }

  arrange(/** @type {State} */ state) {
    this.caption = `Weights of layer ${layerName(state.layer)}, head ${soleHead(state)}`;
    this.heatmap.show(state, {
      text: currentText(state),
      rows: this.rows,
      matrix: this.matrix,
      most: this.most,
      name: this.caption,
    });
  }

  draw(/** @type {State} */ state) {
    this.heatmap.draw(state);
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
