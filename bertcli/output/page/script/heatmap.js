// @ts-check
// A matrix as coloured cells: one row per query and one column per key. It can be zoomed.

import { fitted, roomIn } from "./canvas.js";
import { cellImage, layOut, NUMBERED_CELL, paintMatrix } from "./cells.js";
import { nothingReaches } from "./diagram.js";
import { announce, make } from "./dom.js";
import { Drag, Pinch } from "./gestures.js";
import { Lens } from "./lens.js";
import { Navigator } from "./navigator.js";
import { share } from "./numbers.js";
import { Pointing } from "./pointing.js";
import { ScaleLegend, Shading } from "./scale.js";
import { focus, keeping, within } from "./state.js";
import { change, now } from "./store.js";
import { spelt, strongest, visible } from "./tokens.js";
import { bringIntoZoom, partOf, zoomAround, zoomedRows, zoomTo } from "./zoom.js";

/**
 * @typedef {import("./state.js").State} State
 *
 * @typedef {object} Content What a heatmap shows.
 * @property {import("./data.js").Text} text
 * @property {import("./zoom.js").Rows} rows All rows and columns.
 * @property {import("./cells.js").Weights} matrix
 * @property {number} most The weight of the strongest colour.
 * @property {string} name The name for screen readers.
 */

const HINT = "Rows are queries, columns are keys. Point at a cell to read its weight, click it to keep it, drag or pinch to zoom.";
const ABOVE_AND_BELOW = 250; // CSS pixels of the window that the matrix leaves to the rest of the page
const LEAST_HEIGHT = 360;

export class Heatmap {
  /**
   * @param {any} parent
   * @param {any} side Where the overview and the lens go.
   * @param {boolean} hasHeads True if the matrix is that of one of several heads.
   */
  constructor(parent, side, hasHeads) {
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "application", "aria-roledescription": "matrix", tabindex: 0 });
    this.brushed = make("div", { class: "brushed", hidden: true });
    this.box = make("div", { class: "heatmap" }, this.canvas, this.brushed);
    this.legend = new ScaleLegend(hasHeads);
    parent.append(this.line, this.box, this.legend.root);
    this.navigator = new Navigator(side);
    this.lens = new Lens(side);
    this.drag = new Drag(this.canvas, {
      hasTouch: false,
      move: (from, to) => this.brush(from, to),
      end: (from, to) => this.zoomToBrush(from, to),
      cancel: () => (this.brushed.hidden = true),
    });
    this.pinch = new Pinch(this.canvas, (factor, at, isFirst) => this.pinched(factor, at, isFirst));
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell, isFocus) => (cell || !isFocus) && change({ pointed: cell }),
      keep: (cell) => change(keeping(now(), cell)),
      move: (down, right) => this.move(down, right),
      itemInFocus: () => focus(now()),
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Take what is to be drawn. */
  show(/** @type {State} */ state, /** @type {Content} */ { text, rows, matrix, most, name }) {
    const { curve, zoom } = state;
    const least = state.least ?? 0;
    const shading = new Shading({ curve, most, least, size: text.size });
    /** @type {import("./cells.js").Picture} */
    this.whole = { text, rows, matrix, shading };
    this.picture = { ...this.whole, rows: zoomedRows(rows, zoom) };
    this.image = cellImage(this.picture);
    this.canvas.setAttribute("aria-label", `${name}. The arrow keys move between cells; z zooms in, Z zooms out.`);
    this.legend.show(state, shading);
    this.frame = this.measure(zoom !== null);
    const { queries, keys } = rows;
    const isSmall = this.measure(false, rows).cell < NUMBERED_CELL;
    this.navigator.root.hidden = this.lens.root.hidden = !queries.length || !keys.length || !(zoom || isSmall);
    if (!this.navigator.root.hidden) this.navigator.show(rows, zoom ? cellImage(this.whole) : this.image, zoom);
    this.largest = largestCell(this.picture);
  }

  /** @returns {import("./drawings.js").Drawing | null} */
  drawing(/** @type {string} */ title) {
    const { frame, picture, image, place } = this;
    const isEmpty = !picture.rows.queries.length || !picture.rows.keys.length;
    return isEmpty ? null : { ...frame, title, paint: (context) => paintMatrix(context, frame, picture, image, place) };
  }

  measure(/** @type {boolean} */ isPart, rows = this.picture.rows) {
    const height = Math.max(LEAST_HEIGHT, window.innerHeight - ABOVE_AND_BELOW);
    return layOut(this.canvas.getContext("2d"), this.picture.text, rows, { width: roomIn(this.box), height, isPart });
  }

  /** Draw the matrix with the place in focus. */
  draw(/** @type {State} */ state) {
    this.place = focus(state);
    const { queries, keys } = this.picture.rows;
    if (queries.length && keys.length) {
      paintMatrix(fitted(this.canvas, this.frame.width, this.frame.height), this.frame, this.picture, this.image, this.place);
    }
    this.read();
  }

  /** Return the cell at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame || event.target !== this.canvas || this.drag.isActive) return null;
    const { left, top, across, down } = this.frame;
    const { queries, keys } = this.picture.rows;
    const query = queries[Math.floor((event.offsetY - top) / down)];
    const key = keys[Math.floor((event.offsetX - left) / across)];
    return query === undefined || key === undefined ? null : { query, key };
  }

  /** @returns {import("./zoom.js").Part} The rows and columns between two points, as places among all of them. */
  partBetween(from, to) {
    const { left, top, across, down } = this.frame;
    const { queries, keys } = this.picture.rows;
    const shown = partOf(this.whole.rows, now().zoom);
    const range = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ cell, /** @type {number} */ count, /** @type {number} */ first) => {
      const [low, high] = [a, b].map((length) => first + within(Math.floor(length / cell), count)).sort((one, other) => one - other);
      return /** @type {[number, number]} */ ([low, high]);
    };
    return {
      down: range(from.y - top, to.y - top, down, queries.length, shown.down[0]),
      across: range(from.x - left, to.x - left, across, keys.length, shown.across[0]),
    };
  }

  brush(from, to) {
    const shown = partOf(this.whole.rows, now().zoom);
    const part = this.partBetween(from, to);
    const { left, top, across, down } = this.frame;
    this.brushed.hidden = false;
    Object.assign(this.brushed.style, {
      left: `${left + across * (part.across[0] - shown.across[0])}px`,
      top: `${top + down * (part.down[0] - shown.down[0])}px`,
      width: `${across * (part.across[1] - part.across[0] + 1)}px`,
      height: `${down * (part.down[1] - part.down[0] + 1)}px`,
    });
  }

  zoomToBrush(from, to) {
    this.brushed.hidden = true;
    change({ zoom: zoomTo(this.whole.rows, this.partBetween(from, to)), pointed: null });
  }

  pinched(/** @type {number} */ factor, at, /** @type {boolean} */ isFirst) {
    if (isFirst) {
      const { down, across } = this.partBetween(at, at);
      const place = { query: this.whole.rows.queries[down[0]], key: this.whole.rows.keys[across[0]] };
      this.pinchedFrom = { zoom: now().zoom, place };
    }
    const { zoom, place } = this.pinchedFrom;
    change({ zoom: zoomAround(this.whole.rows, zoom, factor, place), pointed: null });
  }

  move(/** @type {number} */ down, /** @type {number} */ right) {
    const { queries, keys } = this.whole.rows;
    const part = partOf(this.whole.rows, now().zoom);
    const place = focus(now());
    const [row, column] = [queries.indexOf(place?.query), keys.indexOf(place?.key)];
    const isNew = row < 0 || column < 0;
    const step = (/** @type {number} */ at, /** @type {number} */ by, /** @type {number} */ count, /** @type {number} */ first) =>
      isNew ? (at < 0 ? first : at) : within(at + by, count);
    const pointed = { query: queries[step(row, down, queries.length, part.down[0])], key: keys[step(column, right, keys.length, part.across[0])] };
    change({ pointed, zoom: bringIntoZoom(this.whole.rows, now().zoom, pointed) });
    return true;
  }

  /** Move by as many rows or columns as are shown. */
  key(event) {
    const { queries, keys } = this.picture.rows;
    const way = { PageUp: -1, PageDown: 1 }[event.key];
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey) this.move(0, way * keys.length);
    else this.move(way * queries.length, 0);
  }

  /** Say what the place in focus is, and show its neighbours. */
  read() {
    const { rows: { queries, keys }, matrix, shading } = this.whole;
    const query = queries.includes(this.place?.query) ? this.place.query : null;
    const key = keys.includes(this.place?.key) ? this.place.key : null;
    if (query !== null && key !== null) return this.say(query, key, "");
    if (query !== null) return this.say(query, strongest(keys, (at) => matrix.at(query, at), 1)[0].position, " (largest)");
    if (key !== null) return this.say(strongest(queries, (at) => matrix.at(at, key), 1)[0].position, key, " (largest)");
    const weight = this.largest ? matrix.at(this.largest.query, this.largest.key) : 0;
    this.line.replaceChildren(weight < shading.least ? nothingReaches(weight, shading.least) : make("span", { class: "hint", text: HINT }));
    return this.magnify(this.largest, "The largest weight with its neighbours");
  }

  say(/** @type {number} */ query, /** @type {number} */ key, /** @type {string} */ words) {
    const { text, matrix } = this.whole;
    const name = (/** @type {number} */ position) => spelt(text.tokens[position], { class: "name" });
    const weight = share(matrix.at(query, key));
    this.line.replaceChildren(name(query), make("span", { class: "place", text: query }), " → ", name(key),
      make("span", { class: "place", text: key }), make("strong", { class: "number", text: weight }), words);
    announce(`${visible(text.tokens[query])} to ${visible(text.tokens[key])}: ${weight}${words}`);
    this.magnify({ query, key }, "The cell with its neighbours");
  }

  magnify(place, /** @type {string} */ caption) {
    if (place && !this.lens.root.hidden) this.lens.show(this.whole, place, caption);
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
