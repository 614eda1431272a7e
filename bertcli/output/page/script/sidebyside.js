// @ts-check
// Two matrices side by side, with their difference, and what differs most.

import { cellImage, NUMBERED_CELL } from "./cells.js";
import { chosenPair, comparisonOf } from "./compared.js";
import { drawingOfPanels, tableOfComparison } from "./comparedfiles.js";
import { layerName } from "./data.js";
import { DifferenceShading, differenceBar, signed } from "./difference.js";
import { announce, fill, make } from "./dom.js";
import { DifferenceList, statisticsOf, summaryOf } from "./findings.js";
import { Lens, lensHeight } from "./lens.js";
import { Navigator } from "./navigator.js";
import { share } from "./numbers.js";
import { LEAST_HEIGHT, MatrixPanel } from "./panel.js";
import { largestIn, largestWeight, ScaleLegend, Shading } from "./scale.js";
import { nameAt, namesOf, pictureOfDifference, SLOTS, speltAt } from "./slots.js";
import { currentText, curveOf, isSpecialHidden } from "./state.js";
import { labelOf, titleOf } from "./tokens.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./comparison.js").Comparison} Comparison
 */

const HINT =
  "Rows are queries, columns are keys. Point at a cell to read both weights and their difference, click it to keep " +
  "it, drag or pinch to zoom.";
const NEIGHBOURS = 2; // on each side of the cell in a lens
const CAPTION = 30; // CSS pixels above a lens
const PART_OF_PAPER = 0.48; // the width of a panel, since paper has two beside each other

export class SideBySide {
  constructor(/** @type {any} */ section) {
    this.line = make("p", { class: "pointed" });
    this.titles = [0, 1, 2].map(() => make("h2"));
    this.pictures = ["left", "right", "difference"].map((name, at) =>
      make("section", { class: `picture ${name}` }, this.titles[at]),
    );
    this.panels = this.pictures.map((picture) => new MatrixPanel(picture, SLOTS));
    for (const panel of this.panels) panel.partOfPaper = PART_OF_PAPER;
    this.lenses = this.pictures.map((picture) => new Lens(picture, NEIGHBOURS));
    this.below = this.panels[0].below;
    this.legend = new ScaleLegend(true);
    this.poles = make("div", { class: "poles-place" });
    this.list = new DifferenceList();
    this.summary = make("section", { class: "summary" });
    this.statistics = make("section", { class: "both-statistics" });
    const side = make("div", { class: "inset" });
    this.navigator = new Navigator(side);
    const [left, right, difference] = this.pictures;
    this.grid = make("div", { class: "pictures" }, left, right, this.legend.root, difference, this.poles);
    this.root = make("div", { class: "compared" }, this.line,
      this.grid,
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
    this.mostDifference = comparison.most;
    const [left, right] = comparison.sides.map(({ name }) => name);
    pair.forEach(({ text, layer, head }, side) => {
      const words = comparison.isOfTexts ? titleOf(text) : labelOf(text, layer, head);
      fill(this.titles[side], comparison.sides[side].name, " ", make("span", { class: "quiet", text: words ?? "" }));
    });
    const distance = comparison.distance();
    const written = distance.mean === null ? "" : ` · distance ${share(distance.mean)}`;
    fill(this.titles[2], "Difference ", make("span", { class: "quiet", text: `${right} − ${left}${written}` }));
    fill(this.summary, ...summaryOf(comparison, distance));
    fill(this.statistics, ...statisticsOf(pair, [left, right], isSpecialHidden(state)));
    this.list.take(comparison);
  }

  /** Set the scale of both matrices. */
  scale(/** @type {State} */ state) {
    this.asked = state;
    this.most = Math.max(...this.comparison.sides.map(({ matrix, rows }) => largestIn(matrix, rows)));
    return state.extent === "global" ? this.scaleToAllHeads(state) : undefined;
  }

  async scaleToAllHeads(/** @type {State} */ state) {
    let { most } = this;
    for (const { text } of this.pair) most = Math.max(most, await largestWeight({ ...state, text: text.number }));
    if (this.asked === state) this.most = most;
  }

  arrange(/** @type {State} */ state) {
    const { comparison, panels, mostDifference } = this;
    const { matrices, rows, sides } = comparison;
    const scale = { curve: curveOf(state), least: state.least ?? 0, size: currentText(state).size };
    const shading = new Shading({ ...scale, most: this.most });
    const pictures = [
      { text: namesOf(comparison, 0), rows: rows[0], matrix: matrices[0], shading },
      { text: namesOf(comparison, 1), rows: rows[1], matrix: matrices[1], shading },
      pictureOfDifference(comparison, new DifferenceShading({ ...scale, most: mostDifference })),
    ];
    const names = this.names(state);
    pictures.forEach((picture, at) => panels[at].take(state, picture, names[at]));
    this.legend.show(state, shading, "both matrices");
    fill(this.poles, differenceBar(mostDifference, `more in ${sides[0].name}`, `more in ${sides[1].name}`));
    for (const panel of panels) Object.assign(panel, { below: this.below, least: LEAST_HEIGHT });
    this.grid.classList.remove("long");
    const isSmall = panels[0].measure(false, rows[0]).cell < NUMBERED_CELL / 2;
    const { root } = this.navigator;
    root.hidden = !(state.zoom || isSmall) || panels[0].isEmpty;
    for (const lens of this.lenses) lens.root.hidden = root.hidden;
    this.grid.classList.toggle("long", isSmall);
    for (const panel of panels) {
      if (!root.hidden) panel.below += lensHeight(NEIGHBOURS) + CAPTION;
      // Small cells need room more than the lenses need to be on the first screen.
      if (isSmall) panel.least = Math.max(LEAST_HEIGHT, Math.min(panel.box.clientWidth, window.innerHeight / 2));
    }
    this.measure(state.zoom !== null);
    this.largest = root.hidden ? null : comparison.largest(1, panels[2].picture.rows)[0];
    if (root.hidden) return;
    this.navigator.show(sides[0].rows, state.zoom ? cellImage(panels[0].whole) : panels[0].image, state.zoom);
  }

  /** Give all panels cells of the same size, and keys at the same height. */
  measure(/** @type {boolean} */ isPart) {
    const frames = this.panels.map((panel) => panel.measure(isPart));
    const least = (/** @type {"across" | "down"} */ name) => Math.min(...frames.map((frame) => frame[name]));
    const [across, down, top] = [least("across"), least("down"), Math.max(...frames.map((frame) => frame.top))];
    this.panels.forEach((panel, at) => {
      const { queries, keys } = panel.picture.rows;
      const { left } = frames[at];
      panel.frame = {
        left,
        top,
        across,
        down,
        cell: Math.min(across, down),
        width: left + across * keys.length,
        height: top + down * queries.length,
      };
    });
  }

  /** Return the names of the panels for screen readers. */
  names(/** @type {State} */ state) {
    const [left, right] = this.comparison.sides.map(({ name }) => name);
    const where = this.comparison.isOfTexts ? ` of layer ${layerName(state.layer)}, head ${this.pair[0].head},` : "";
    return [`Weights${where} in ${left}`, `Weights${where} in ${right}`, `Difference: ${right} minus ${left}`];
  }

  draw(/** @type {State} */ state) {
    for (const panel of this.panels) panel.draw(state);
    this.say(SLOTS.placeIn(state));
    this.list.mark(state);
  }

  /** Show both weights of the place in focus; of a token alone, those of its largest difference. */
  say(/** @type {import("./state.js").Place | null} */ place) {
    const { comparison } = this;
    const { either, both, slots } = comparison;
    const query = either.queries.includes(place?.query) ? place.query : null;
    const key = either.keys.includes(place?.key) ? place.key : null;
    if (query !== null && key !== null) return this.sayCell(query, key, "");
    if (query === null && key === null) {
      if (this.largest) this.magnify(this.largest, "The largest difference with its neighbours");
      return fill(this.line, make("span", { class: "hint", text: HINT }));
    }
    const [largest] = comparison.largest(1, {
      queries: query === null ? both.queries : both.queries.filter((at) => at === query),
      keys: key === null ? both.keys : both.keys.filter((at) => at === key),
    });
    if (largest) return this.sayCell(largest.query, largest.key, " (largest of the token)");
    const token = query ?? key;
    const reason = slots[token].isAligned ? "" : ", since only aligned tokens have them";
    return fill(this.line, ...speltAt(comparison, token), `: no differences${reason}`);
  }

  sayCell(/** @type {number} */ query, /** @type {number} */ key, /** @type {string} */ words) {
    const { comparison } = this;
    const difference = comparison.difference.at(query, key);
    const readings = comparison.sides.map(({ name }, side) => {
      const matrix = comparison.matrices[side];
      const weight = matrix.at(query, key);
      return [name, Number.isNaN(weight) ? "–" : share(weight, matrix.precision(query))];
    });
    if (Number.isNaN(difference)) readings.push(["no difference, since only aligned tokens have one", ""]);
    else readings.push(["difference", signed(difference, comparison.difference.precisionAt(query, key))]);
    fill(this.line, ...speltAt(comparison, query), " → ", ...speltAt(comparison, key),
      ...readings.flatMap(([name, number]) => [
        " ", make("span", { class: "reading" }, `${name} `, make("strong", { class: "number", text: number })),
      ]), words);
    this.magnify({ query, key }, "The cell with its neighbours");
    const said = readings.map((reading) => reading.join(" ").trim()).join(", ");
    announce(`${nameAt(comparison, query)} to ${nameAt(comparison, key)}: ${said}${words}`);
  }

  /** Show a cell and its neighbours in all panels, if their cells are small. */
  magnify(/** @type {{query: number, key: number}} */ place, /** @type {string} */ caption) {
    this.lenses.forEach((lens, at) => {
      if (!lens.root.hidden) lens.show(this.panels[at].whole, place, caption);
    });
  }

  table() {
    return tableOfComparison(this.comparison, this.panels[2].picture.rows);
  }

  drawing() {
    if (this.panels.some(({ isEmpty }) => isEmpty)) return null;
    const [left, right] = this.comparison.sides.map(({ name }) => name);
    const { layer, head } = this.pair[0];
    const title = this.comparison.isOfTexts
      ? `Layer ${layerName(layer)}, head ${head}: ${left} and ${right}`
      : `Heads ${left} and ${right}`;
    return drawingOfPanels(
      title,
      this.panels,
      [left, right, `${right} − ${left}`],
      [
        { name: "pole-minus", words: `more in ${left}` },
        { name: "pole-plus", words: `more in ${right}` },
      ],
    );
  }

  fileWords() {
    const [left, right] = this.pair;
    const words = ({ layer, head }) => [`layer-${layerName(layer)}`, `head-${head}`];
    return [...words(left), "and", ...(this.comparison.isOfTexts ? [`text-${right.text.number + 1}`] : words(right))];
  }
}
