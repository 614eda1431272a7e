// @ts-check
// The head view: the attention between tokens in one layer, with a colour for each head.

import { reportLines } from "../controls.js";
import { layerName, layerOf } from "../data.js";
import { EdgeDiagram } from "../diagram.js";
import { drawingOfLines } from "../drawings.js";
import { announce, empty, fill, make, soon } from "../dom.js";
import { factsOf, headsInWords } from "../facts.js";
import { share } from "../numbers.js";
import { chosenHeads, currentText, isSpecialHidden, placeOfToken, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfLines } from "../tables.js";
import { headColour } from "../theme.js";
import { bars, spelt, strongest, visible } from "../tokens.js";
import { View } from "../view.js";
import { meanPrecision, shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const HINT =
  "Queries are on the left, keys on the right. Point at a token to see all of its weights; click it to keep it.";
const LEGEND = "The stronger the colour of a line, the larger its weight, relative to the strongest line drawn.";
const LISTED = 10;
// With predictions below the list, and the statistics of a single head too, so that all fits a window of 900 pixels.
const BESIDE_PREDICTIONS = { manyHeads: 6, oneHead: 4 };

export class HeadsView extends View {
  constructor() {
    super("heads", "Heads", ["layer", "heads", "filter", "least", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "least", "special"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token", "key"], draw: (state) => this.point(state) },
    ]);
  }

  build(section) {
    const main = make("div", { class: "stage" });
    this.readout = make("div", { class: "read" });
    section.append(
      make("div", { class: "split" }, main, make("aside", { class: "readout", "aria-label": "Weights" }, this.readout)),
    );
    this.diagram = new EdgeDiagram(main);
    this.none = empty("No head is selected", "Select heads above, or press a to select all.");
    main.append(this.none);
    window.addEventListener("scroll", () => now().view === "heads" && soon(() => this.scroll()), { passive: true });
  }

  async load(/** @type {State} */ state) {
    const layer = await layerOf(currentText(state), state.layer);
    if (this.drawn === state) this.layer = layer;
  }

  arrange(/** @type {State} */ state) {
    this.heads = chosenHeads(state);
    this.none.hidden = this.heads.length > 0;
    this.diagram.root.hidden = !this.heads.length;
    this.matrices = this.heads.map((head) => shownMatrix(currentText(state), this.layer, head, isSpecialHidden(state)));
    if (this.heads.length) {
      this.diagram.show(currentText(state), shownPositions(state), this.heads, this.matrices, state.least);
    }
    reportLines(this.heads.length ? this.diagram.lines : null);
  }

  point(/** @type {State} */ state) {
    if (!this.heads.length) {
      fill(this.readout);
      return;
    }
    this.diagram.draw(state);
    if (this.diagram.side === null) this.explain(state);
    else this.read(state, this.diagram.side, this.diagram.chosen);
  }

  table(/** @type {State} */ state) {
    return this.heads.length ? tableOfLines(currentText(state), state.layer, this.diagram.shown) : null;
  }

  drawing(/** @type {State} */ state) {
    const title = `Layer ${layerName(state.layer)}, head${this.heads.length === 1 ? "" : "s"} ${this.heads.join(", ")}`;
    return this.heads.length
      ? drawingOfLines(title, currentText(state), shownPositions(state), this.diagram.shown)
      : null;
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`, ...(this.heads.length === 1 ? [`head-${this.heads[0]}`] : [])];
  }

  scroll() {
    if (this.matrices?.length) this.diagram.draw(now());
  }

  explain(/** @type {State} */ state) {
    fill(this.readout,
      make("h2", { class: "hint", text: "Point at a token" }),
      make("p", { class: "quiet hint", text: HINT }),
      this.heads.length === 1
        ? factsOf(currentText(state), state.layer, this.heads[0], isSpecialHidden(state))
        : make("p", { class: "quiet", text: LEGEND }),
    );
  }

  /** List the strongest weights of a token: the mean of the selected heads, with a part of each bar for each head. */
  read(/** @type {State} */ state, side, position) {
    const text = currentText(state);
    const { queries, keys } = shownPositions(state);
    const isQuery = side === "query";
    const count = this.matrices.length;
    const weights = isQuery
      ? (matrix, other) => matrix.at(position, other)
      : (matrix, other) => matrix.at(other, position);
    const mean = (other) => this.matrices.reduce((sum, matrix) => sum + weights(matrix, other), 0) / count;
    const beside = count === 1 ? BESIDE_PREDICTIONS.oneHead : BESIDE_PREDICTIONS.manyHeads;
    const found = strongest(isQuery ? keys : queries, mean, text.masks.length ? beside : LISTED);
    const stackAt = (other) =>
      this.matrices.map((matrix, at) => ({ colour: headColour(this.heads[at]), part: weights(matrix, other) / count }));
    const precisionAt = (other) => meanPrecision(this.matrices, isQuery ? position : other);
    const does = isQuery ? " attends to" : " receives attention from";
    fill(this.readout,
      make("h2", {}, spelt(text.tokens[position]), does),
      count === 1 // the statistics below name the head
        ? null
        : make("p", { class: "quiet", text: `layer ${layerName(state.layer)}, ${headsInWords(this.heads)}` }),
      bars(text, found, precisionAt, stackAt, (other) => this.goTo(other)),
      count === 1 ? factsOf(text, state.layer, this.heads[0], isSpecialHidden(state)) : null);
    const first = found.slice(0, 3)
      .map(({ position: at, weight }) => `${visible(text.tokens[at])} ${share(weight, precisionAt(at))}`);
    announce(`${visible(text.tokens[position])}${does} ${first.join(", ")}`);
  }

  /** Keep a token of the list. */
  goTo(/** @type {number} */ position) {
    const { query, key } = placeOfToken(now(), position);
    change({ token: query, key, pointed: null });
  }
}
