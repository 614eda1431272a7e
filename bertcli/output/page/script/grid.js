// @ts-check
// A grid of all heads: one row per layer, one column per head, with their numbers at the edges.

import { about, layerName } from "./data.js";
import { make } from "./dom.js";
import { foundHeads } from "./search.js";
import { within } from "./state.js";
import { change } from "./store.js";
import { Pointing, stopAt } from "./pointing.js";

/** @typedef {{layer: number, head: number}} Place */

export class HeadGrid {
  /**
   * @param {string} classes
   * @param {string} name The name for screen readers.
   * @param {(layer: number, head: number) => any} cellOf Return the element of a head.
   * @param {object} use
   * @param {(place: Place | null, isFocus: boolean) => void} use.point Report the head under the pointer or the focus.
   * @param {(place: Place) => void} [use.keep] Take the head that is clicked; by default, open it.
   */
  constructor(classes, name, cellOf, { point, keep = ({ layer, head }) => openHead(layer, head) }) {
    this.root = make("div", { class: `grid ${classes}`, role: "group", "aria-label": name });
    this.root.style.setProperty("--heads", about.heads);
    this.root.style.setProperty("--layers", about.layers);
    const heads = Array.from({ length: about.heads }, (_, head) => head);
    this.root.append(
      make("span", { class: "corner" }),
      ...heads.map((head) => make("span", { class: "column-name", text: head })),
    );
    /** @type {any[]} */
    this.cells = [];
    for (let layer = 0; layer < about.layers; layer++) {
      const row = heads.map((head) => cellOf(layer, head));
      this.cells.push(...row);
      this.root.append(make("span", { class: "row-name", text: layerName(layer) }), ...row);
    }
    stopAt(this.cells, this.cells[0]);
    this.root.addEventListener("focusin", ({ target }) => stopAt(this.cells, target));
    const placeOf = ({ target }) => {
      const data = target.closest("[data-layer]")?.dataset;
      return data ? { layer: Number(data.layer), head: Number(data.head) } : null;
    };
    this.pointing = new Pointing(this.root, {
      itemAt: placeOf,
      itemInFocus: placeOf,
      point,
      keep,
      move: (down, right) => this.move(down, right),
    });
  }

  /** Move the focus to a neighbouring head, or to the Tab stop if the focus is outside the grid. */
  move(/** @type {number} */ down, /** @type {number} */ right) {
    const stop = this.cells.find((cell) => cell.tabIndex === 0);
    if (document.activeElement !== stop) stop.focus();
    else {
      const layer = within(Number(stop.dataset.layer) + down, about.layers);
      const head = within(Number(stop.dataset.head) + right, about.heads);
      this.cells[layer * about.heads + head].focus();
    }
    return true;
  }

  /** During a search, dim the heads that do not match. */
  dimOthers(/** @type {import("./state.js").State} */ state) {
    const found = foundHeads(state);
    this.cells.forEach((cell, at) => cell.classList.toggle("dim", found !== null && !found.has(at)));
  }
}

/** Show one head in the head view. */
export function openHead(/** @type {number} */ layer, /** @type {number} */ head) {
  change({ view: "heads", layer, heads: new Set([head]) });
  window.scrollTo(0, 0);
}
