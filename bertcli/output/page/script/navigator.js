// @ts-check
// The overview of a matrix: the whole of it, a frame around the zoomed part, and the buttons that zoom.

import { fitted } from "./canvas.js";
import { make } from "./dom.js";
import { Drag } from "./gestures.js";
import { focus } from "./state.js";
import { change, now } from "./store.js";
import { colour } from "./theme.js";
import { panned, partOf, zoomAround, zoomTo } from "./zoom.js";

/** @typedef {import("./zoom.js").Part} Part */

const SIDE = 132; // largest width and height in CSS pixels
export const ZOOM_STEP = 0.5;

export class Navigator {
  constructor(parent) {
    this.canvas = make("canvas", { role: "img", "aria-label": "Overview of the matrix" });
    this.part = make("p", { class: "quiet", "aria-live": "polite" });
    const button = (text, title, onclick) =>
      make("button", { type: "button", class: "plain framed", text, title, "aria-label": title, onclick });
    this.closer = button("+", "Zoom in (z)", () => this.zoom(ZOOM_STEP));
    this.farther = button("−", "Zoom out (Z)", () => this.zoom(1 / ZOOM_STEP));
    this.whole = make("button", {
      type: "button",
      class: "plain framed",
      text: "Whole matrix",
      title: "Whole matrix (Esc)",
      onclick: () => change({ zoom: null }),
    });
    this.root = make(
      "section",
      { class: "navigator", "aria-label": "Zoom" },
      make("div", {}, this.canvas),
      make(
        "div",
        { class: "zooms" },
        make("span", { class: "pair" }, this.closer, this.farther),
        this.whole,
        this.part,
      ),
    );
    parent.append(this.root);
    /** @type {Part | null} */
    this.start = null; // the part at the start of a drag inside the frame
    this.drag = new Drag(this.canvas, {
      hasTouch: true,
      move: (from, to) => this.dragged(from, to),
      end: () => (this.start = null),
      cancel: () => (this.start = null),
    });
    this.canvas.addEventListener("pointerdown", (event) => this.pressed(event));
    this.canvas.addEventListener("click", (event) => this.clicked(event));
  }

  /** Zoom around the place in focus. */
  zoom(/** @type {number} */ factor) {
    change({ zoom: zoomAround(this.rows, now().zoom, factor, focus(now())) });
  }

  /**
   * Show the zoom in the whole matrix.
   *
   * @param {import("./zoom.js").Rows} rows All rows and columns.
   * @param {any} image Their cells.
   * @param {import("./zoom.js").Zoom | null} zoom
   */
  show(rows, image, zoom) {
    this.rows = rows;
    const { down, across } = partOf(rows, zoom);
    this.cell = SIDE / Math.max(rows.queries.length, rows.keys.length);
    const { cell } = this;
    const [width, height] = [cell * rows.keys.length, cell * rows.queries.length];
    const context = fitted(this.canvas, width, height);
    context.imageSmoothingEnabled = cell < 1;
    context.drawImage(image, 0, 0, width, height);
    const frame = [
      cell * across[0],
      cell * down[0],
      cell * (across[1] - across[0] + 1),
      cell * (down[1] - down[0] + 1),
    ];
    context.fillStyle = colour("paper");
    context.globalAlpha = 0.6;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(frame[0], frame[1], frame[2], frame[3]);
    context.fill("evenodd");
    context.globalAlpha = 1;
    context.strokeStyle = colour("accent");
    context.lineWidth = 2;
    context.strokeRect(frame[0] + 1, frame[1] + 1, Math.max(frame[2] - 2, 1), Math.max(frame[3] - 2, 1));
    const range = (/** @type {number[]} */ positions, /** @type {[number, number]} */ [first, last]) =>
      `${positions[first]}–${positions[last]}`;
    this.part.textContent = `queries ${range(rows.queries, down)}, keys ${range(rows.keys, across)}`;
    this.whole.disabled = this.farther.disabled = !zoom;
    this.frame = { left: frame[0], top: frame[1], right: frame[0] + frame[2], bottom: frame[1] + frame[3] };
  }

  pressed({ offsetX, offsetY }) {
    const { left, top, right, bottom } = this.frame;
    const isInside = offsetX >= left && offsetX <= right && offsetY >= top && offsetY <= bottom;
    this.start = now().zoom && isInside ? partOf(this.rows, now().zoom) : null;
  }

  /** Move the frame, or draw a new one if the drag began outside it. */
  dragged(from, to) {
    const { rows, cell, start } = this;
    if (start) {
      const [down, right] = [Math.round((to.y - from.y) / cell), Math.round((to.x - from.x) / cell)];
      change({ zoom: panned(rows, zoomTo(rows, start), down, right) });
      return;
    }
    const range = (/** @type {number} */ a, /** @type {number} */ b) =>
      /** @type {[number, number]} */ ([Math.floor(Math.min(a, b) / cell), Math.floor(Math.max(a, b) / cell)]);
    change({ zoom: zoomTo(rows, { down: range(from.y, to.y), across: range(from.x, to.x) }) });
  }

  /** Bring the place of a click into the middle of the frame. */
  clicked({ offsetX, offsetY }) {
    const zoom = now().zoom ?? zoomAround(this.rows, null, ZOOM_STEP, null);
    const { down, across } = partOf(this.rows, zoom);
    const way = (/** @type {[number, number]} */ [first, last], /** @type {number} */ length) =>
      Math.round(length / this.cell - (first + last + 1) / 2);
    change({ zoom: panned(this.rows, zoom, way(down, offsetY), way(across, offsetX)) });
  }
}
