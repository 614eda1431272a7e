// @ts-check
// The keyboard shortcuts. They do everything that the pointer can do.

import { exchange, stepComparison, toggleComparison } from "./comparing.js";
import { stepLeast, toggleHeads } from "./controls.js";
import { about, textCount } from "./data.js";
import { finder } from "./finder.js";
import { help } from "./help.js";
import { ZOOM_STEP } from "./navigator.js";
import { currentText, FILTERS, shownPositions, soleHead, within } from "./state.js";
import { change, drawAgain, now } from "./store.js";
import { toggleTheme } from "./theme.js";

/** @typedef {import("./view.js").View} View */

export class Keys {
  constructor(/** @type {View[]} */ views) {
    this.views = views;
    document.addEventListener("keydown", (event) => this.heed(event));
    this.actions = {
      ArrowLeft: () => this.moveHead(0, -1) || stepLayer(-1),
      ArrowRight: () => this.moveHead(0, 1) || stepLayer(1),
      ArrowUp: () => this.moveHead(-1, 0) || stepToken(-1),
      ArrowDown: () => this.moveHead(1, 0) || stepToken(1),
      "[": () => stepHead(-1),
      "]": () => stepHead(1),
      a: toggleHeads,
      "-": () => stepLeast(-1),
      "+": () => stepLeast(1),
      "=": () => stepLeast(1),
      0: () => change({ least: null }),
      s: stepFilter,
      t: () => stepText(1),
      T: () => stepText(-1),
      d: switchTheme,
      c: () => this.compares && toggleComparison(),
      "{": () => this.compares && stepComparison(-1),
      "}": () => this.compares && stepComparison(1),
      x: () => this.compares && exchange(),
      "/": () => finder.input.focus(),
      "?": () => help.open(),
      z: () => this.zoom(ZOOM_STEP),
      Z: () => this.zoom(1 / ZOOM_STEP),
      Escape: () => this.close() || change({ token: null, key: null, pointed: null, find: "" }),
    };
  }

  heed(/** @type {any} */ event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.isOpen) return;
    if (event.target.closest("input, select, textarea")) return;
    const number = Number(event.key);
    const view = this.views[number - 1];
    const action = view ? () => change({ view: view.name }) : this.actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @returns {any} */
  get view() {
    return this.views.find(({ name }) => name === now().view);
  }

  /** True in a view that compares heads or texts. */
  get compares() {
    return this.view.controls.includes("compare");
  }

  /** In a view with a matrix, zoom around the place in focus. */
  zoom(/** @type {number} */ factor) {
    this.view.navigator?.zoom(factor);
  }

  /** Show the whole matrix, or close an enlarged thumbnail. Return false if there is nothing to close. */
  close() {
    const { zoom, enlarged } = now();
    if (enlarged !== null) this.view.close();
    else if (zoom && this.view.navigator) change({ zoom: null });
    else return false;
    return true;
  }

  /** In a view with a grid of heads, move between them. */
  moveHead(/** @type {number} */ down, /** @type {number} */ right) {
    return this.view.grid?.move(down, right) ?? false;
  }
}

export function switchTheme() {
  toggleTheme();
  drawAgain();
}

function stepLayer(/** @type {number} */ by) {
  const name = now().view === "rollout" ? "through" : "layer";
  change({ [name]: within(now()[name] + by, about.layers) });
}

function stepHead(/** @type {number} */ by) {
  const state = now();
  const next =
    state.heads.size === 1 ? (soleHead(state) + by + about.heads) % about.heads : by > 0 ? 0 : about.heads - 1;
  change({ heads: new Set([next]) });
}

function stepToken(/** @type {number} */ by) {
  const { queries } = shownPositions(now());
  const place = queries.indexOf(now().token);
  const next = place < 0 ? (by > 0 ? 0 : queries.length - 1) : within(place + by, queries.length);
  change({ token: queries[next] ?? null, key: null });
  document
    .querySelector(`section:not([hidden]) .queries [data-position="${now().token}"]`)
    ?.scrollIntoView({ block: "nearest" });
}

function stepFilter() {
  if (!currentText(now()).sentences.length) return;
  const place = FILTERS.findIndex(({ name }) => name === now().filter);
  change({ filter: FILTERS[(place + 1) % FILTERS.length].name });
}

function stepText(/** @type {number} */ by) {
  change({ text: within(now().text + by, textCount()) });
}
