// @ts-check
// Two matrices side by side, with their difference, and what differs most.

import { cellImage, NUMBERED_CELL } from "./cells.js";
import { chosenPair, comparisonOf } from "./compared.js";
import { drawingOfPanels, tableOfComparison } from "./comparedfiles.js";
import { layerName } from "./data.js";
import { DifferenceShading, differenceBar, signed } from "./difference.js";
import { announce, fill, make } from "./dom.js";
import { DifferenceList, statisticsOf, summaryOf } from "./findings.js";
import { Navigator } from "./navigator.js";
import { share } from "./numbers.js";
import { MatrixPanel } from "./panel.js";
import { largestIn, largestWeight, ScaleLegend, Shading } from "./scale.js";
import { nameAt, namesOf, pictureOfDifference, SLOTS, speltAt } from "./slots.js";
import { currentText } from "./state.js";
import { labelOf, titleOf } from "./tokens.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./comparison.js").Comparison} Comparison
 */

const HINT = "Rows are queries, columns are keys. Point at a cell to read both weights and their difference, click it to keep it, drag or pinch to zoom.";
const PART_OF_PAPER = 0.48; // the width of a panel, since paper has two beside each other

export class SideBySide {
  constructor(/** @type {any} */ section) {
    this.line = make("p", { class: "pointed" });
    this.titles = [0, 1, 2].map(() => make("h2"));
    this.pictures = ["left", "right", "difference"].map((name, at) => make("section", { class: `picture ${name}` }, this.titles[at]));
    this.panels = this.pictures.map((picture) => new MatrixPanel(picture, SLOTS));
    for (const panel of this.panels) panel.partOfPaper = PART_OF_PAPER;
    this.legend = new ScaleLegend(true);
    this.poles = make("div", { class: "poles-place" });
    this.list = new DifferenceList();
    this.summary = make("section", { class: "summary" });
    this.statistics = make("section", { class: "both-statistics" });
    const side = make("div", { class: "inset" });
    this.navigator = new Navigator(side);
    const [left, right, difference] = this.pictures;
    this.root = make("div", { class: "compared" }, this.line,
      make("div", { class: "pictures" }, left, right, this.legend.root, difference, this.poles),
      make("div", { class: "findings" }, make("div", {}, this.summary, side), this.list.root, this.statistics));
    section.append(this.root);
  }

  async read(/** @type {State} */ state) {
    this.asked = state;
    const pair = chosenPair(state);
    const comparison = await comparisonOf(state, pair);
    if (this.asked !== state) return;
    this.pair = pair;
    this.comparison = comparison;
    const { sides } = this.comparison;
    const [left, right] = sides.map(({ name }) => name);
    this.pair.forEach(({ text, layer, head }, side) => fill(this.titles[side], sides[side].name, " ",
      make("span", { class: "quiet", text: (this.isOfTexts ? titleOf(text) : labelOf(text, layer, head)) ?? "" })));
    const distance = comparison.distance();
    const written = distance.mean === null ? "" : ` · distance ${share(distance.mean)}`;
    fill(this.titles[2], "Difference ", make("span", { class: "quiet", text: `${right} − ${left}${written}` }));
    fill(this.summary, ...summaryOf(comparison, distance));
    fill(this.statistics, ...statisticsOf(this.pair, [left, right]));
    this.list.take(this.comparison);
  }

  /** True if one head in two texts is compared. */
  get isOfTexts() {
    return this.pair[0].text !== this.pair[1].text;
  }

  /** Set the scale of both matrices. */
  scale(/** @type {State} */ state) {
    this.most = Math.max(...this.comparison.sides.map(({ matrix, rows }) => largestIn(matrix, rows)));
    if (state.extent !== "global") return undefined;
    const largest = this.pair.map(({ text }) => () => largestWeight({ ...state, text: text.number }));
    return largest[0]().then(async (most) => void (this.most = Math.max(most, await largest[1]())));
  }

  arrange(/** @type {State} */ state) {
    const { comparison } = this;
    const { matrices, rows, sides } = comparison;
    const least = state.least ?? 0;
    const { size } = currentText(state);
    const shading = new Shading({ curve: state.curve, most: this.most, least, size });
    const most = comparison.most;
    const ofSides = [0, 1].map((side) => ({ text: namesOf(comparison, /** @type {0 | 1} */ (side)), rows: rows[side], matrix: matrices[side], shading }));
    const ofDifference = pictureOfDifference(comparison, new DifferenceShading({ curve: state.curve, most, least, size }));
    const names = this.names(state);
    [...ofSides, ofDifference].forEach((picture, at) => this.panels[at].take(state, picture, names[at]));
    this.legend.show(state, shading, "both matrices");
    fill(this.poles, differenceBar(most, `more in ${sides[0].name}`, `more in ${sides[1].name}`));
    this.measure(state.zoom !== null);
    const isSmall = this.panels[0].measure(false, rows[0]).cell < NUMBERED_CELL / 2;
    this.navigator.root.hidden = !(state.zoom || isSmall) || this.panels[0].isEmpty;
    if (!this.navigator.root.hidden) this.navigator.show(sides[0].rows, cellImage(this.panels[0].whole), state.zoom);
  }

  /** Give all panels cells of the same size, and keys at the same height. */
  measure(/** @type {boolean} */ isPart) {
    const frames = this.panels.map((panel) => panel.measure(isPart));
    const least = (/** @type {"across" | "down"} */ name) => Math.min(...frames.map((frame) => frame[name]));
    const [across, down, top] = [least("across"), least("down"), Math.max(...frames.map((frame) => frame.top))];
    this.panels.forEach((panel, at) => {
      const { queries, keys } = panel.picture.rows;
      const { left } = frames[at];
      panel.frame = { left, top, across, down, cell: Math.min(across, down), width: left + across * keys.length, height: top + down * queries.length };
    });
  }

  /** Return the names of the panels for screen readers. */
  names(/** @type {State} */ state) {
    const [left, right] = this.comparison.sides.map(({ name }) => name);
    const where = this.isOfTexts ? ` of layer ${layerName(state.layer)}, head ${this.pair[0].head},` : "";
    return [`Weights${where} in ${left}`, `Weights${where} in ${right}`, `Difference: ${right} minus ${left}`];
  }

  draw(/** @type {State} */ state) {
    for (const panel of this.panels) panel.draw(state);
    this.say(SLOTS.placeIn(state));
    this.list.mark(state);
  }

  /** Say what both weights of the place in focus are; of a row or column, those with the largest difference. */
  say(/** @type {import("./state.js").Place | null} */ place) {
    const { comparison } = this;
    const { either } = comparison;
    const query = either.queries.includes(place?.query) ? place.query : null;
    const key = either.keys.includes(place?.key) ? place.key : null;
    if (query !== null && key !== null) return this.sayCell(query, key, "");
    if (query === null && key === null) return fill(this.line, make("span", { class: "hint", text: HINT }));
    const { queries, keys } = comparison.both;
    const [largest] = comparison.largest(1, { queries: query === null ? queries : queries.filter((at) => at === query), keys: key === null ? keys : keys.filter((at) => at === key) });
    if (largest) return this.sayCell(largest.query, largest.key, " (largest of the token)");
    const isAligned = comparison.slots[query ?? key].isAligned;
    return fill(this.line, ...speltAt(comparison, query ?? key), isAligned ? ": no differences" : ": no differences, since only aligned tokens have them");
  }

  sayCell(/** @type {number} */ query, /** @type {number} */ key, /** @type {string} */ words) {
    const { comparison } = this;
    const weights = comparison.matrices.map((matrix) => matrix.at(query, key));
    const difference = comparison.difference.at(query, key);
    const readings = [
      ...comparison.sides.map(({ name }, side) => [name, Number.isNaN(weights[side]) ? "–" : share(weights[side])]),
      Number.isNaN(difference) ? ["no difference, since only aligned tokens have one", ""] : ["difference", signed(difference)],
    ];
    fill(this.line, ...speltAt(comparison, query), " → ", ...speltAt(comparison, key),
      ...readings.flatMap(([name, number]) => [" ", make("span", { class: "reading" }, `${name} `, make("strong", { class: "number", text: number }))]), words);
    const said = readings.map((reading) => reading.join(" ").trim()).join(", ");
    announce(`${nameAt(comparison, query)} to ${nameAt(comparison, key)}: ${said}${words}`);
  }

  table() {
    return tableOfComparison(this.comparison, this.panels[2].picture.rows);
  }

  drawing() {
    if (this.panels.some(({ isEmpty }) => isEmpty)) return null;
    const [left, right] = this.comparison.sides.map(({ name }) => name);
    const { layer, head } = this.pair[0];
    const title = this.isOfTexts ? `Layer ${layerName(layer)}, head ${head}: ${left} and ${right}` : `Heads ${left} and ${right}`;
    return drawingOfPanels(title, this.panels, [left, right, `${right} − ${left}`], [
      { name: "pole-minus", words: `more in ${left}` }, { name: "pole-plus", words: `more in ${right}` },
    ]);
  }

  fileWords() {
    const [left, right] = this.pair;
    const words = ({ layer, head }) => [`layer-${layerName(layer)}`, `head-${head}`];
    return [...words(left), "and", ...(this.isOfTexts ? [`text-${right.text.number + 1}`] : words(right))];
  }
}
