// @ts-check
// The statistics view: a grid of all heads, coloured by one statistic.

import { about, layerName } from "../data.js";
import { make } from "../dom.js";
import { inBrief, LABELS, MEANINGS } from "../facts.js";
import { drawingOfStatistics } from "../drawings.js";
import { HeadGrid } from "../grid.js";
import { written } from "../numbers.js";
import { scaleBar, ScaleLegend, Shading } from "../scale.js";
import { currentText, curveOf, isSpecialHidden, placeOfHead } from "../state.js";
import { ABOUT_SPECIAL, statisticsWithoutSpecial } from "../statistics.js";
import { change, now } from "../store.js";
import { tableOfHeads } from "../tables.js";
import { css, inkOn } from "../theme.js";
import { View } from "../view.js";
import { SPECIAL_NAMES, specialTokens } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const HINT = "Rows are layers, columns are heads. Click a head to open it.";
const WITHOUT = `computed without ${SPECIAL_NAMES} from the weights that the page stores`;
const NONE = `the share of attention on a token that is left out, so there is none. Show ${SPECIAL_NAMES} to see it.`;
// Labels and the search are those of bertcli's other commands.
const LABELS_COUNT = `labels and the search count ${SPECIAL_NAMES} too`;

export class StatisticsView extends View {
  constructor() {
    super("statistics", "Statistics", ["statistic", "find", "special"], [
      { needs: ["special"], draw: (state) => this.load(state) },
      { needs: ["statistic", "curve"], draw: (state) => this.colour(state) },
      { needs: ["find"], draw: (state) => this.mark(state) },
    ]);
    /** @type {import("../statistics.js").Numbers[] | null} */
    this.numbers = null; // until they are computed
    this.leavesOut = false; // special tokens
    /** @type {import("../grid.js").Place | null} */
    this.pointed = null;
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    this.legend = new ScaleLegend(false);
    this.meaning = make("p", { class: "quiet" });
    this.legend.root.append(this.meaning);
    this.labels = make("div", { class: "labels" });
    this.grid = new HeadGrid(
      "numbers",
      "Statistics of all heads",
      (layer, head) => make("button", { type: "button", class: "cell", "data-layer": layer, "data-head": head }),
      { point: (place) => { this.pointed = place; this.read(); } },
    );
    section.append(this.line, make("div", { class: "wide" }, this.grid.root), this.legend.root, this.labels);
  }

  /** Take the statistics with special tokens, or those without them, which have to be computed. */
  load(/** @type {State} */ state) {
    const text = currentText(state);
    this.leavesOut = isSpecialHidden(state);
    this.numbers = this.leavesOut ? null : text.statistics;
    if (!this.leavesOut) return undefined;
    return statisticsWithoutSpecial(text).then((numbers) => {
      if (this.drawn === state) this.numbers = numbers;
    });
  }

  colour(/** @type {State} */ state) {
    const name = state.statistic;
    this.shading = new Shading({ curve: curveOf(state), most: this.most(currentText(state), name) });
    this.grid.cells.forEach((cell, at) => {
      const { layer, head } = placeOfHead(at);
      const { number, background } = this.cellAt(state, at);
      cell.textContent = number;
      cell.style.backgroundColor = css(background);
      cell.style.color = inkOn(background);
      cell.setAttribute("aria-label", `layer ${layerName(layer)}, head ${head}: ${name} ${number || "–"}`);
    });
    this.showLegend(state);
    this.read();
  }

  /** Show the scale of the colours, and what the numbers mean. */
  showLegend(/** @type {State} */ state) {
    const name = state.statistic;
    const isMissing = this.leavesOut && ABOUT_SPECIAL.includes(name);
    const meaning = isMissing
      ? `${name}: ${NONE}`
      : `${name}: ${MEANINGS[name]}; mean over tokens${this.leavesOut ? `; ${WITHOUT}` : ""}`;
    this.meaning.textContent = meaning;
    const numbers = [0, 0.5, 1].map((part) => written(name, this.shading.weightAt(part)));
    this.legend.showBar(state, scaleBar(numbers), false);
    this.legend.bar.hidden = this.legend.switches[0].element.hidden = isMissing;
  }

  /** Return the number of a head, as text, and its colour. */
  cellAt(/** @type {State} */ state, /** @type {number} */ at) {
    const number = this.numbers[at][about.statistics.indexOf(state.statistic)];
    return {
      number: number === null ? "" : written(state.statistic, number),
      background: this.shading.colour(number ?? 0),
    };
  }

  table(/** @type {State} */ state) {
    return this.numbers && tableOfHeads(currentText(state), this.numbers);
  }

  drawing(/** @type {State} */ state) {
    if (!this.numbers) return null;
    const title = `${state.statistic} of all heads${this.leavesOut ? `, without ${SPECIAL_NAMES}` : ""}`;
    return drawingOfStatistics(title, (at) => this.cellAt(state, at));
  }

  fileWords(/** @type {State} */ state) {
    return [state.statistic, ...(this.leavesOut ? ["without-special-tokens"] : [])];
  }

  /** Return the number of the strongest colour: the largest possible, or for the distance the largest of all heads. */
  most(/** @type {import("../data.js").Text} */ text, /** @type {string} */ name) {
    const special = this.leavesOut ? specialTokens(text).filter(Boolean).length : 0;
    if (name === "entropy") return Math.log(text.size - special);
    if (name !== "distance") return 1;
    const at = about.statistics.indexOf(name);
    return Math.max(...this.numbers.map((numbers) => numbers[at] ?? 0));
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
    this.labels.replaceChildren(...buttons, make("span", {
      class: "quiet", text: `${about.thresholds}${this.leavesOut ? `; ${LABELS_COUNT}` : ""}`,
    }));
  }

  choose(label) {
    change({ find: now().find === label ? "" : label });
    this.labels.querySelector(`[data-label="${label}"]`).focus(); // the button is a new one
  }

  /** Write the numbers of the head that is pointed at. */
  read() {
    const place = this.pointed;
    this.line.replaceChildren(
      ...(place === null || !this.numbers
        ? [make("span", { class: "hint", text: HINT })]
        : [
            make("strong", { text: `Layer ${layerName(place.layer)}, head ${place.head}` }),
            ` · ${inBrief(currentText(now()), place.layer, place.head, this.numbers)}`,
          ]),
    );
  }
}
