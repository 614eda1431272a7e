// @ts-check
// The statistics view: a grid of all heads, coloured by one statistic.

import { about, layerName } from "../data.js";
import { make } from "../dom.js";
import { inBrief, LABELS, MEANINGS } from "../facts.js";
import { drawingOfStatistics } from "../drawings.js";
import { HeadGrid } from "../grid.js";
import { written } from "../numbers.js";
import { scaleBar } from "../scale.js";
import { currentText, placeOfHead } from "../state.js";
import { change, now } from "../store.js";
import { tableOfHeads } from "../tables.js";
import { css, inkOn, rampColour } from "../theme.js";
import { statisticOf } from "../tokens.js";
import { View } from "../view.js";

/** @typedef {import("../state.js").State} State */

const HINT = "Rows are layers, columns are heads. Click a head to open it.";

export class StatisticsView extends View {
  constructor() {
    super("statistics", "Statistics", ["statistic", "find"], [
      { needs: ["statistic"], draw: (state) => this.colour(state) },
      { needs: ["find"], draw: (state) => this.mark(state) },
    ]);
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    this.legend = make("div");
    this.labels = make("div", { class: "labels" });
    this.grid = new HeadGrid(
      "numbers",
      "Statistics of all heads",
      (layer, head) => make("button", { type: "button", class: "cell", "data-layer": layer, "data-head": head }),
      { point: (place) => this.read(place) },
    );
    section.append(this.line, make("div", { class: "wide" }, this.grid.root), this.legend, this.labels);
    this.read(null);
  }

  colour(/** @type {State} */ state) {
    const name = state.statistic;
    const [low, high] = this.range(currentText(state), name);
    this.grid.cells.forEach((cell, at) => {
      const { layer, head } = placeOfHead(at);
      const { number, background } = this.cellAt(state, at);
      cell.textContent = number;
      cell.style.backgroundColor = css(background);
      cell.style.color = inkOn(background);
      cell.setAttribute("aria-label", `layer ${layerName(layer)}, head ${head}: ${name} ${number}`);
    });
    this.legend.replaceChildren(scaleBar([low, (low + high) / 2, high].map((number) => written(name, number)),
      make("span", { class: "quiet", text: `${name}: ${MEANINGS[name]}; mean over tokens` })));
  }

  /** Return the number of a head, as text, and its colour. */
  cellAt(/** @type {State} */ state, /** @type {number} */ at) {
    const text = currentText(state);
    const { layer, head } = placeOfHead(at);
    const [low, high] = this.range(text, state.statistic);
    const number = statisticOf(text, layer, head, state.statistic);
    return {
      number: written(state.statistic, number),
      background: rampColour(high > low ? (number - low) / (high - low) : 0),
    };
  }

  table(/** @type {State} */ state) {
    return tableOfHeads(currentText(state));
  }

  drawing(/** @type {State} */ state) {
    return drawingOfStatistics(`${state.statistic} of all heads`, (at) => this.cellAt(state, at));
  }

  fileWords(/** @type {State} */ state) {
    return [state.statistic];
  }

  range(text, name) {
    if (name === "entropy") return [0, Math.log(text.size)];
    if (name !== "distance") return [0, 1];
    const at = about.statistics.indexOf(name);
    return [0, Math.max(...text.statistics.map((numbers) => numbers[at]))];
  }

  mark(/** @type {State} */ state) {
    const text = currentText(state);
    this.grid.dimOthers(state);
    const buttons = LABELS.map((label) => {
      const count = text.labels.filter((found) => found === label).length;
      return make("button", {
        type: "button", class: "chip", disabled: count === 0, "aria-pressed": state.find === label ? "true" : "false",
        "data-label": label, onclick: () => this.choose(label),
      }, label, make("span", { class: "count", text: count }));
    });
    this.labels.replaceChildren(...buttons, make("span", { class: "quiet", text: about.thresholds }));
  }

  choose(label) {
    change({ find: now().find === label ? "" : label });
    this.labels.querySelector(`[data-label="${label}"]`).focus(); // the button is a new one
  }

  read(place) {
    this.line.replaceChildren(
      ...(place === null
        ? [make("span", { class: "hint", text: HINT })]
        : [
            make("strong", { text: `Layer ${layerName(place.layer)}, head ${place.head}` }),
            ` · ${inBrief(currentText(now()), place.layer, place.head)}`,
          ]),
    );
  }
}
