// @ts-check
// A matrix on a canvas: it is pointed at, moved in by keys, and zoomed by a drag or a pinch.

import { fitted, roomIn } from "./canvas.js";
import { cellImage, layOut, paintMatrix } from "./cells.js";
import { make } from "./dom.js";
import { Drag, Pinch } from "./gestures.js";
import { Pointing } from "./pointing.js";
import { focus, keeping, within } from "./state.js";
import { change, now } from "./store.js";
import { bringIntoZoom, partOf, zoomAround, zoomedRows, zoomTo } from "./zoom.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Place} Place
 * @typedef {import("./zoom.js").Zoom} Zoom
 * @typedef {import("./cells.js").Picture} Picture
 *
 * @typedef {object} Coordinates How the rows and columns of a panel are related to the state.
 * @property {(state: State) => Place | null} placeIn Return the place in focus.
 * @property {(state: State) => Zoom | null} zoomIn Return the zoom.
 * @property {(place: Place | null) => Partial<State>} pointing Return the changes that point at a place.
 * @property {(place: Place) => Partial<State>} keeping Return the changes that keep a place.
 * @property {(zoom: Zoom | null) => Partial<State>} zooming Return the changes that zoom.
 */

const BELOW = 64; // CSS pixels below a matrix, for the scale of its colours
export const LEAST_HEIGHT = 280;

/** @type {Coordinates} Rows and columns are positions in the current text. */
export const TOKENS = {
  placeIn: focus,
  zoomIn: ({ zoom }) => zoom,
  pointing: (place) => ({ pointed: place }),
  keeping: (place) => keeping(now(), place),
  zooming: (zoom) => ({ zoom }),
};

export class MatrixPanel {
  constructor(/** @type {any} */ parent, /** @type {Coordinates} */ coordinates) {
    this.coordinates = coordinates;
    /** @type {import("./cells.js").Frame | null} */
    this.frame = null; // set by the owner of the panel
    this.partOfPaper = 1; // the share of the paper's width
    this.below = BELOW;
    this.least = LEAST_HEIGHT;
    this.canvas = make("canvas", { role: "application", "aria-roledescription": "matrix", tabindex: 0 });
    this.brushed = make("div", { class: "brushed", hidden: true });
    this.box = make("div", { class: "heatmap" }, this.canvas, this.brushed);
    parent.append(this.box);
    this.drag = new Drag(this.canvas, {
      hasTouch: false,
      move: (from, to) => this.brush(from, to),
      end: (from, to) => this.zoomToBrush(from, to),
      cancel: () => (this.brushed.hidden = true),
    });
    this.pinch = new Pinch(this.canvas, (factor, at, isFirst) => this.pinched(factor, at, isFirst));
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell, isFocus) => (cell || !isFocus) && change(coordinates.pointing(cell)),
      keep: (cell) => change(coordinates.keeping(cell)),
      move: (down, right) => this.move(down, right),
      itemInFocus: () => coordinates.placeIn(now()),
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get zoom() {
    return this.coordinates.zoomIn(now());
  }

  /** Take a matrix with all of its rows and columns. name: The name for screen readers. */
  take(/** @type {State} */ state, /** @type {Picture} */ whole, /** @type {string} */ name) {
    this.whole = whole;
    this.picture = { ...whole, rows: zoomedRows(whole.rows, this.coordinates.zoomIn(state)) };
    this.image = cellImage(this.picture);
    this.canvas.setAttribute("aria-label", `${name}. The arrow keys move between cells; z zooms in, Z zooms out.`);
  }

  /** Return the frame of some rows and columns. isPart: They are a part of the matrix. */
  measure(/** @type {boolean} */ isPart, rows = this.picture.rows) {
    const top = this.box.getBoundingClientRect().top + window.scrollY;
    const height = Math.max(this.least, window.innerHeight - top - this.below);
    return layOut(this.canvas.getContext("2d"), this.picture.text, rows, {
      width: roomIn(this.box, this.partOfPaper),
      height,
      isPart,
    });
  }

  get isEmpty() {
    return !this.picture.rows.queries.length || !this.picture.rows.keys.length;
  }

  /** Draw the matrix with the place in focus. */
  draw(/** @type {State} */ state) {
    this.place = this.coordinates.placeIn(state);
    if (this.isEmpty) fitted(this.canvas, 1, 1);
    else this.paint(fitted(this.canvas, this.frame.width, this.frame.height));
  }

  paint(context) {
    paintMatrix(context, this.frame, this.picture, this.image, this.place);
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
    const shown = partOf(this.whole.rows, this.zoom);
    const range = (
      /** @type {number} */ a,
      /** @type {number} */ b,
      /** @type {number} */ cell,
      /** @type {number} */ count,
      /** @type {number} */ first,
    ) => {
      const [low, high] = [a, b]
        .map((length) => first + within(Math.floor(length / cell), count))
        .sort((one, other) => one - other);
      return /** @type {[number, number]} */ ([low, high]);
    };
    return {
      down: range(from.y - top, to.y - top, down, queries.length, shown.down[0]),
      across: range(from.x - left, to.x - left, across, keys.length, shown.across[0]),
    };
  }

  brush(from, to) {
    const shown = partOf(this.whole.rows, this.zoom);
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

  /** Zoom, and point at a place or at nothing. */
  zoomTo(/** @type {Zoom | null} */ zoom, /** @type {Place | null} */ pointed) {
    change({ ...this.coordinates.zooming(zoom), ...this.coordinates.pointing(pointed) });
  }

  zoomToBrush(from, to) {
    this.brushed.hidden = true;
    this.zoomTo(zoomTo(this.whole.rows, this.partBetween(from, to)), null);
  }

  pinched(/** @type {number} */ factor, at, /** @type {boolean} */ isFirst) {
    if (isFirst) {
      const { down, across } = this.partBetween(at, at);
      const place = { query: this.whole.rows.queries[down[0]], key: this.whole.rows.keys[across[0]] };
      this.pinchedFrom = { zoom: this.zoom, place };
    }
    const { zoom, place } = this.pinchedFrom;
    this.zoomTo(zoomAround(this.whole.rows, zoom, factor, place), null);
  }

  move(/** @type {number} */ down, /** @type {number} */ right) {
    const { queries, keys } = this.whole.rows;
    const part = partOf(this.whole.rows, this.zoom);
    const place = this.coordinates.placeIn(now());
    const [row, column] = [queries.indexOf(place?.query), keys.indexOf(place?.key)];
    const isNew = row < 0 || column < 0;
    const step = (
      /** @type {number} */ at,
      /** @type {number} */ by,
      /** @type {number} */ count,
      /** @type {number} */ first,
    ) => (isNew ? (at < 0 ? first : at) : within(at + by, count));
    const pointed = {
      query: queries[step(row, down, queries.length, part.down[0])],
      key: keys[step(column, right, keys.length, part.across[0])],
    };
    this.zoomTo(bringIntoZoom(this.whole.rows, this.zoom, pointed), pointed);
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
}
