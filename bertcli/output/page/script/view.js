// @ts-check
// The base class of the views: each draws again only what depends on what has changed.

import { byId, make } from "./dom.js";

/** @typedef {import("./state.js").State} State */

/**
 * A part of a view.
 *
 * @typedef {object} Part
 * @property {string[]} needs The names of the state that it depends on, besides text and screen.
 * @property {(state: State) => void | Promise<void>} draw A part that waits for data must drop them if, by then,
 *   another state is drawn.
 */

export class View {
  /**
   * @param {string} name The name in addresses.
   * @param {string} title
   * @param {string[]} controls The names of its controls.
   * @param {Part[]} parts In the order of drawing. A part is also drawn if one before it is drawn.
   */
  constructor(name, title, controls, parts) {
    this.name = name;
    this.title = title;
    this.controls = controls;
    this.parts = parts;
    this.section = null;
    /** @type {State | null} */
    this.drawn = null; // the state of the last draw
    this.next = 0; // the first part that is not drawn yet
    this.run = 0; // the number of the last run
  }

  /** Build the elements, once, before the first draw. */
  build(/** @type {any} */ _section) {}

  /** @returns {import("./tables.js").Table | null} The numbers that the view shows, to be saved as CSV. */
  table(/** @type {State} */ _state) {
    return null;
  }

  /** @returns {import("./drawings.js").Drawing | null} The drawing of the view, to be saved as a picture. */
  drawing(/** @type {State} */ _state) {
    return null;
  }

  /** @returns {string[]} The words of a file name after the name of the view. */
  fileWords(/** @type {State} */ _state) {
    return [];
  }

  /** Return the section; build it when the view is opened for the first time. */
  open() {
    if (!this.section) {
      this.section = make("section", {
        id: `view-${this.name}`,
        role: "tabpanel",
        "aria-labelledby": `tab-${this.name}`,
        tabindex: -1,
      });
      byId("views").append(this.section);
      byId(`tab-${this.name}`).setAttribute("aria-controls", this.section.id);
      this.build(this.section);
    }
    return this.section;
  }

  /**
   * Draw the parts that depend on what has changed since the last draw. Parts are drawn at once up to the first that
   * has to wait for data.
   *
   * @param {State} state
   * @returns {void | Promise<void>}
   */
  draw(state) {
    const before = this.drawn;
    const first = this.parts.findIndex(({ needs }) =>
      !before || ["text", "screen", ...needs].some((name) => before[name] !== state[name]));
    if (first >= 0) this.next = Math.min(this.next, first);
    this.drawn = state;
    this.run += 1;
    return this.drawFrom(this.next, state, this.run);
  }

  drawFrom(/** @type {number} */ first, /** @type {State} */ state, /** @type {number} */ run) {
    for (let place = first; place < this.parts.length; place++) {
      this.next = place;
      const waiting = this.parts[place].draw(state);
      if (waiting) {
        return waiting.then(() => (run === this.run ? this.drawFrom(place + 1, state, run) : undefined));
      }
    }
    this.next = this.parts.length;
  }
}
