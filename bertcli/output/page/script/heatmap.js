// @ts-check
// A matrix with the words about its cells, the scale of its colours, an overview and a lens.

import { cellImage, NUMBERED_CELL } from "./cells.js";
import { nothingReaches } from "./diagram.js";
import { announce, make } from "./dom.js";
import { Lens } from "./lens.js";
import { Navigator } from "./navigator.js";
import { share } from "./numbers.js";
import { MatrixPanel, TOKENS } from "./panel.js";
import { ScaleLegend, Shading } from "./scale.js";
import { curveOf } from "./state.js";
import { spelt, strongest, visible } from "./tokens.js";

/**
 * @typedef {import("./state.js").State} State
 *
 * @typedef {object} Content What a heatmap shows.
 * @property {import("./data.js").Text} text
 * @property {import("./zoom.js").Rows} rows All rows and columns.
 * @property {import("./data.js").RowMatrix} matrix
 * @property {number} most The weight of the strongest colour.
 * @property {string} name The name for screen readers.
 */

const AXES = "Rows are queries, columns are keys.";
const HINT = `${AXES} Point at a cell to read its weight, click it to keep it, drag or pinch to zoom.`;

export class Heatmap {
  /**
   * @param {any} parent
   * @param {any} side Where the overview and the lens go.
   * @param {boolean} hasHeads True if the matrix is that of one of several heads.
   */
  constructor(parent, side, hasHeads) {
    this.line = make("p", { class: "pointed" });
    parent.append(this.line);
    this.panel = new MatrixPanel(parent, TOKENS);
    this.legend = new ScaleLegend(hasHeads);
    parent.append(this.legend.root);
    this.navigator = new Navigator(side);
    this.lens = new Lens(side);
  }

  get picture() {
    return this.panel.picture;
  }

  /** Take what is to be drawn. */
  show(/** @type {State} */ state, /** @type {Content} */ { text, rows, matrix, most, name }) {
    const { panel } = this;
    const { zoom } = state;
    this.least = state.least ?? 0;
    const shading = new Shading({ curve: curveOf(state), most, least: this.least, size: text.size });
    panel.take(state, { text, rows, matrix, shading }, name);
    this.legend.show(state, shading);
    panel.frame = panel.measure(zoom !== null);
    const isSmall = panel.measure(false, rows).cell < NUMBERED_CELL;
    this.navigator.root.hidden = this.lens.root.hidden =
      !rows.queries.length || !rows.keys.length || !(zoom || isSmall);
    if (!this.navigator.root.hidden) this.navigator.show(rows, zoom ? cellImage(panel.whole) : panel.image, zoom);
    this.largest = largestCell(panel.picture);
  }

  /** @returns {import("./drawings.js").Drawing | null} */
  drawing(/** @type {string} */ title) {
    const { panel } = this;
    return panel.isEmpty ? null : { ...panel.frame, title, paint: (context) => panel.paint(context) };
  }

  /** Draw the matrix with the place in focus. */
  draw(/** @type {State} */ state) {
    this.panel.draw(state);
    this.read();
  }

  /** Describe the place in focus, and show its neighbours. */
  read() {
    const { place, whole: { rows: { queries, keys }, matrix } } = this.panel;
    const query = queries.includes(place?.query) ? place.query : null;
    const key = keys.includes(place?.key) ? place.key : null;
    if (query !== null && key !== null) return this.say(query, key, "");
    if (query !== null) {
      return this.say(query, strongest(keys, (at) => matrix.at(query, at), 1)[0].position, " (largest)");
    }
    if (key !== null) return this.say(strongest(queries, (at) => matrix.at(at, key), 1)[0].position, key, " (largest)");
    const weight = this.largest ? matrix.at(this.largest.query, this.largest.key) : 0;
    this.line.replaceChildren(
      weight < this.least ? nothingReaches(weight, this.least) : make("span", { class: "hint", text: HINT }),
    );
    return this.magnify(this.largest, "The largest weight with its neighbours");
  }

  say(/** @type {number} */ query, /** @type {number} */ key, /** @type {string} */ words) {
    const { text, matrix } = this.panel.whole;
    const name = (/** @type {number} */ position) => spelt(text.tokens[position], { class: "name" });
    const weight = share(matrix.at(query, key), matrix.precision(query));
    this.line.replaceChildren(name(query), make("span", { class: "place", text: query }), " → ", name(key),
      make("span", { class: "place", text: key }), make("strong", { class: "number", text: weight }), words,
      make("span", { class: "axes", text: AXES }));
    announce(`${visible(text.tokens[query])} to ${visible(text.tokens[key])}: ${weight}${words}`);
    this.magnify({ query, key }, "The cell with its neighbours");
  }

  magnify(place, /** @type {string} */ caption) {
    if (place && !this.lens.root.hidden) this.lens.show(this.panel.whole, place, caption);
  }
}

/** Return the cell with the largest weight, or null without cells. */
function largestCell(/** @type {import("./cells.js").Picture} */ { rows: { queries, keys }, matrix }) {
  let [most, found] = [-1, null];
  for (const query of queries) {
    const weights = matrix.row(query);
    for (const key of keys) {
      if (weights[key] > most) [most, found] = [weights[key], { query, key }];
    }
  }
  return found;
}
