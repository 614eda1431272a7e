// @ts-check
// The rollout view: how much of each input token reaches each token through all layers up to a chosen one.

import { about, layerName, rolloutOf } from "../data.js";
import { fill, make } from "../dom.js";
import { Heatmap } from "../heatmap.js";
import { largestIn } from "../scale.js";
import { currentText, shownPositions } from "../state.js";
import { tableOfMatrix } from "../tables.js";
import { bars, spelt, strongest } from "../tokens.js";
import { View } from "../view.js";
import { hidesSpecial, Renormalised, specialShareOf, specialTokens } from "../weights.js";

/** @typedef {import("../state.js").State} State */

export class RolloutView extends View {
  constructor() {
    super("rollout", "Rollout", ["through", "filter", "least", "special"], [
      { needs: ["through"], draw: (state) => this.load(state) },
      { needs: ["filter", "special"], draw: (state) => this.read(state) },
      { needs: ["least", "zoom", "curve"], draw: (state) => this.arrange(state) },
      { needs: ["token", "key"], draw: (state) => this.list(state) },
      { needs: ["pointed"], draw: (state) => this.heatmap.draw(state) },
    ]);
  }

  build(section) {
    const main = make("div", { class: "stage" });
    this.missing = make("p", {
      class: "note",
      text: "For a text of this length the page contains only the rollout through all layers, which is shown here.",
    });
    this.found = make("div");
    const side = make("div", { class: "inset" });
    this.readout = make("aside", { class: "readout", "aria-label": "Rollout" }, side, this.missing, this.found,
      make("h2", { text: "Attention through layers" }),
      make("p", {
        class: "quiet",
        text:
          "Each layer is the average of two equal parts: the mean of its heads, and the identity, for the residual " +
          "connection. The rollout is the product of these matrices.",
      }),
      make("p", {
        class: "quiet",
        text:
          "A row shows how much each input token contributes to a token after the chosen layer. Each row sums to 1.",
      }),
      make("p", { class: "quiet source", text: "Abnar & Zuidema 2020" }));
    section.append(make("div", { class: "split" }, main, this.readout));
    this.heatmap = new Heatmap(main, side, false);
    this.navigator = this.heatmap.navigator;
  }

  async load(/** @type {State} */ state) {
    const text = currentText(state);
    const found = await rolloutOf(text, state.through);
    const through = found ? state.through : about.layers - 1;
    const rollout = found ?? (await rolloutOf(text, through));
    if (this.drawn !== state) return;
    this.missing.hidden = found !== null;
    this.through = through;
    this.rollout = rollout;
    this.specialShare = specialShareOf(text, this.rollout);
  }

  read(/** @type {State} */ state) {
    this.isSpecialHidden = hidesSpecial(state, this.specialShare);
    this.rows = shownPositions(state, this.isSpecialHidden);
    this.matrix = this.isSpecialHidden
      ? new Renormalised(this.rollout, specialTokens(currentText(state)))
      : this.rollout;
    this.most = largestIn(this.matrix, this.rows);
  }

  arrange(/** @type {State} */ state) {
    this.heatmap.show(state, {
      text: currentText(state), rows: this.rows, matrix: this.matrix, most: this.most,
      name: `Rollout through layer ${layerName(this.through)}`,
    });
  }

  table() {
    return tableOfMatrix(this.heatmap.picture);
  }

  drawing() {
    return this.heatmap.drawing(`Rollout through layer ${layerName(this.through)}`);
  }

  fileWords() {
    return [`layer-${layerName(this.through)}`];
  }

  list(/** @type {State} */ state) {
    const text = currentText(state);
    const token = this.rows.queries.includes(state.token) ? state.token : null;
    fill(this.found, ...(token === null ? [] : [
      make("h2", {}, spelt(text.tokens[token]), " consists of"),
      bars(
        text,
        strongest(this.rows.keys, (key) => this.matrix.at(token, key), 10),
        () => this.matrix.precision(token),
      ),
    ]));
  }
}
