// @ts-check
// A matrix as coloured cells: one row per query and one column per key.

import { fitted, FONT, pixelCanvas, roomIn, shortened } from "./canvas.js";
import { nothingReaches } from "./diagram.js";
import { announce, make } from "./dom.js";
import { share } from "./numbers.js";
import { Pointing } from "./pointing.js";
import { focus, keeping, within } from "./state.js";
import { change, now } from "./store.js";
import { colour, inkOn, rampColour, rampPixels } from "./theme.js";
import { spelt, strongest, visible } from "./tokens.js";

const LARGEST_CELL = 46;
const LABELLED_CELL = 11;
const NUMBERED_CELL = 30;

export class Heatmap {
  constructor(parent) {
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "application", "aria-roledescription": "matrix", tabindex: 0 });
    this.box = make("div", { class: "heatmap" }, this.canvas);
    parent.append(this.line, this.box);
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell, isFocus) => (cell || !isFocus) && change({ pointed: cell }),
      keep: (cell) => change(keeping(now(), cell)),
      move: (down, right) => this.move(down, right),
      itemInFocus: () => focus(now()),
    });
  }

  /**
   * Take what is to be drawn.
   *
   * @param {import("./data.js").Text} text
   * @param {{queries: number[], keys: number[]}} rows Positions in the text.
   * @param {Pick<import("./data.js").Matrix, "size" | "row" | "at">} matrix
   * @param {number} least
   * @param {string} name The name for screen readers.
   */
  show(text, rows, matrix, least, name) {
    this.text = text;
    this.rows = rows;
    this.matrix = matrix;
    this.least = least;
    this.canvas.setAttribute("aria-label", `${name}. The arrow keys move between cells.`);
    this.image = this.pixels();
  }

  /** Draw the matrix with the place in focus. */
  draw(/** @type {import("./state.js").State} */ state) {
    this.place = focus(state);
    this.paint();
    this.read();
  }

  /**
   * Return the strength of a weight's colour: a root of its share of the largest weight, so that weak weights remain
   * distinguishable. In long texts most weights are far below the largest, hence the smaller exponent.
   */
  strength(weight) {
    return (weight / this.most) ** (this.matrix.size > 64 ? 0.35 : 0.5);
  }

  pixels() {
    const { queries, keys } = this.rows;
    const colours = rampPixels();
    let most = 1e-9;
    for (const query of queries) {
      const weights = this.matrix.row(query);
      for (const key of keys) most = Math.max(most, weights[key]);
    }
    this.most = most;
    const pixels = new Uint32Array(queries.length * keys.length);
    let at = 0;
    for (const query of queries) {
      const weights = this.matrix.row(query);
      for (const key of keys) pixels[at++] = colours[weights[key] < this.least ? 0 : Math.round(255 * this.strength(weights[key]))];
    }
    return pixelCanvas(keys.length, queries.length, pixels);
  }

  measure() {
    const { queries, keys } = this.rows;
    const width = roomIn(this.box);
    const context = this.canvas.getContext("2d");
    context.font = `13px ${FONT}`;
    const widest = (positions) => Math.min(120, Math.ceil(Math.max(...positions.map((at) => context.measureText(visible(this.text.tokens[at]).slice(0, 40)).width), 12)));
    const left = Math.min(widest(queries) + 10, width * 0.28);
    const top = Math.min(widest(keys) + 10, 110);
    const cell = Math.min(LARGEST_CELL, (width - left) / keys.length);
    if (cell >= LABELLED_CELL) return { left, top, cell, hasLabels: true };
    return { left: 0, top: 0, cell: Math.min(LARGEST_CELL, width / keys.length, Math.max(360, window.innerHeight - 190) / queries.length), hasLabels: false };
  }

  paint() {
    const { queries, keys } = this.rows;
    if (!queries.length || !keys.length) return;
    const frame = (this.frame = this.measure());
    const { left, top, cell } = frame;
    const context = fitted(this.canvas, left + cell * keys.length, top + cell * queries.length);
    context.imageSmoothingEnabled = cell < 1;
    context.drawImage(this.image, left, top, cell * keys.length, cell * queries.length);
    if (cell >= LABELLED_CELL) {
      context.strokeStyle = colour("paper");
      context.lineWidth = 1;
      context.beginPath();
      for (let at = 0; at <= keys.length; at++) context.rect(left + at * cell - 0.5, top, 0, cell * queries.length);
      for (let at = 0; at <= queries.length; at++) context.rect(left, top + at * cell - 0.5, cell * keys.length, 0);
      context.stroke();
    }
    if (frame.hasLabels) this.paintLabels(context, frame);
    if (cell >= NUMBERED_CELL) this.paintNumbers(context, frame);
    this.paintCross(context, frame);
  }

  paintLabels(context, { left, top, cell }) {
    context.font = `${Math.min(13, cell)}px ${FONT}`;
    context.textBaseline = "middle";
    const label = (position, isChosen) => {
      context.fillStyle = isChosen ? colour("accent") : colour("ink");
      return visible(this.text.tokens[position]);
    };
    context.textAlign = "right";
    this.rows.queries.forEach((position, at) => {
      const name = label(position, position === this.place?.query);
      context.fillText(shortened(context, name, left - 10), left - 7, top + (at + 0.5) * cell);
    });
    context.textAlign = "left";
    this.rows.keys.forEach((position, at) => {
      const name = label(position, position === this.place?.key);
      context.save();
      context.translate(left + (at + 0.5) * cell, top - 7);
      context.rotate(-Math.PI / 2);
      context.fillText(shortened(context, name, top - 10), 0, 0);
      context.restore();
    });
  }

  paintNumbers(context, { left, top, cell }) {
    context.font = `12px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.rows.queries.forEach((query, row) => this.rows.keys.forEach((key, column) => {
      const weight = this.matrix.at(query, key);
      if (weight < Math.max(0.005, this.least)) return;
      context.fillStyle = inkOn(rampColour(this.strength(weight)));
      const hundredths = Math.round(100 * weight);
      context.fillText(hundredths === 100 ? "1" : `.${String(hundredths).padStart(2, "0")}`, left + (column + 0.5) * cell, top + (row + 0.5) * cell);
    }));
  }

  paintCross(context, { left, top, cell }) {
    const { queries, keys } = this.rows;
    const [row, column] = [queries.indexOf(this.place?.query), keys.indexOf(this.place?.key)];
    context.strokeStyle = colour("accent");
    context.lineWidth = 1.5;
    if (row >= 0) context.strokeRect(left + 0.5, top + row * cell, cell * keys.length - 1, Math.max(cell, 2));
    if (column >= 0) context.strokeRect(left + column * cell, top + 0.5, Math.max(cell, 2), cell * queries.length - 1);
  }

  /** Return the cell at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame || event.target !== this.canvas) return null;
    const { left, top, cell } = this.frame;
    const query = this.rows.queries[Math.floor((event.offsetY - top) / cell)];
    const key = this.rows.keys[Math.floor((event.offsetX - left) / cell)];
    return query === undefined || key === undefined ? null : { query, key };
  }

  move(/** @type {number} */ down, /** @type {number} */ right) {
    const { queries, keys } = this.rows;
    const place = focus(now());
    const [row, column] = [queries.indexOf(place?.query), keys.indexOf(place?.key)];
    const isNew = row < 0 || column < 0;
    const step = (at, by, count) => (isNew ? Math.max(at, 0) : within(at + by, count));
    change({ pointed: { query: queries[step(row, down, queries.length)], key: keys[step(column, right, keys.length)] } });
    return true;
  }

  read() {
    const { queries, keys } = this.rows;
    const query = queries.includes(this.place?.query) ? this.place.query : null;
    const key = keys.includes(this.place?.key) ? this.place.key : null;
    if (query !== null && key !== null) return this.say(query, key, "");
    if (query !== null) return this.say(query, strongest(keys, (at) => this.matrix.at(query, at), 1)[0].position, " (largest)");
    if (key !== null) return this.say(strongest(queries, (at) => this.matrix.at(at, key), 1)[0].position, key, " (largest)");
    const hint = make("span", { class: "hint", text: "Point at a cell to read its weight; click it to keep it. Rows are queries, columns are keys." });
    return this.line.replaceChildren(this.most < this.least ? nothingReaches(this.most, this.least) : hint);
  }

  say(query, key, words) {
    const name = (position) => spelt(this.text.tokens[position], { class: "name" });
    const weight = share(this.matrix.at(query, key));
    this.line.replaceChildren(name(query), make("span", { class: "place", text: query }), " → ", name(key),
      make("span", { class: "place", text: key }), make("strong", { class: "number", text: weight }), words);
    announce(`${visible(this.text.tokens[query])} to ${visible(this.text.tokens[key])}: ${weight}${words}`);
  }
}
