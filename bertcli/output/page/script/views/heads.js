// @ts-check
// The head view: the attention between tokens in one layer, with a colour for each head.

import { layerName, layerOf } from "../data.js";
import { EdgeDiagram } from "../diagram.js";
import { drawingOfLines } from "../drawings.js";
import { announce, empty, fill, make, soon } from "../dom.js";
import { factsOf } from "../facts.js";
import { grouped, share } from "../numbers.js";
import { chosenHeads, currentText, isSpecialHidden, shownPositions } from "../state.js";
import { now } from "../store.js";
import { tableOfLines } from "../tables.js";
import { bars, spelt, strongest, visible } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const HINT = "Queries are on the left, keys on the right. Point at a token to see only its lines; click it to keep it.";
const LEGEND = "The opacity of a line is its weight relative to the strongest line drawn.";

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
    this.readout = make("aside", { class: "readout", "aria-label": "Weights" });
    section.append(make("div", { class: "split" }, main, this.readout));
    this.diagram = new EdgeDiagram(main);
    this.none = empty("No head is selected", "Select heads above, or press a to select all.");
    main.append(this.none);
    window.addEventListener("scroll", () => soon(() => this.scroll()), { passive: true });
  }

  async load(/** @type {State} */ state) {
    this.layer = await layerOf(currentText(state), state.layer);
  }

  arrange(/** @type {State} */ state) {
    this.heads = chosenHeads(state);
    this.none.hidden = this.heads.length > 0;
    this.diagram.root.hidden = !this.heads.length;
    this.matrices = this.heads.map((head) => shownMatrix(currentText(state), this.layer, head, isSpecialHidden(state)));
    if (this.heads.length) this.diagram.show(currentText(state), shownPositions(state), this.heads, this.matrices, state.least);
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
    return this.heads.length ? tableOfLines(currentText(state), state.layer, this.diagram.lines) : null;
  }

  drawing(/** @type {State} */ state) {
    const title = `Layer ${layerName(state.layer)}, head${this.heads.length === 1 ? "" : "s"} ${this.heads.join(", ")}`;
    return this.heads.length ? drawingOfLines(title, currentText(state), shownPositions(state), this.diagram.lines) : null;
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`, ...(this.heads.length === 1 ? [`head-${this.heads[0]}`] : [])];
  }

  scroll() {
    if (now().view === "heads" && this.matrices?.length) this.diagram.draw(now());
  }

  explain(/** @type {State} */ state) {
    const { total, everything } = this.diagram;
    fill(this.readout,
      make("h2", { class: "hint", text: "Point at a token" }),
      make("p", { class: "quiet hint", text: HINT }),
      everything.length < total ? make("p", { class: "quiet lines", text:
        `The ${grouped(everything.length)} strongest of ${grouped(total)} lines are drawn. Point at a token to see all of its weights.` }) : null,
      this.heads.length === 1 ? factsOf(currentText(state), state.layer, this.heads[0]) : make("p", { class: "quiet", text: LEGEND }));
  }

  read(/** @type {State} */ state, side, position) {
    const text = currentText(state);
    const { queries, keys } = shownPositions(state);
    const mean = (query, key) => this.matrices.reduce((sum, matrix) => sum + matrix.at(query, key), 0) / this.matrices.length;
    const found = side === "query"
      ? strongest(keys, (key) => mean(position, key), 10)
      : strongest(queries, (query) => mean(query, position), 10);
    const does = side === "query" ? " attends to" : " receives attention from";
    fill(this.readout,
      make("h2", {}, spelt(text.tokens[position]), does),
      make("p", { class: "quiet", text: `layer ${state.layer}, ${this.heads.length === 1 ? `head ${this.heads[0]}` : `mean of ${this.heads.length} heads`}` }),
      bars(text, found),
      this.heads.length === 1 ? factsOf(text, state.layer, this.heads[0]) : null);
    const first = found.slice(0, 3).map(({ position: at, weight }) => `${visible(text.tokens[at])} ${share(weight)}`);
    announce(`${visible(text.tokens[position])}${does} ${first.join(", ")}`);
  }
}
