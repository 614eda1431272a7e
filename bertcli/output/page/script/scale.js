// @ts-check
// The scale of a drawing: which colour a weight has, and a bar that shows it.

import { Segments } from "./controls.js";
import { about, layerOf } from "./data.js";
import { make } from "./dom.js";
import { brief, share } from "./numbers.js";
import { currentText, curveOf, isSpecialHidden, shownPositions } from "./state.js";
import { css, ramp, rampColour, rampPixels } from "./theme.js";
import { shownMatrix } from "./weights.js";

/** @typedef {import("./state.js").State} State */

const LONG = 64; // tokens; in longer texts most weights are far below the largest

/** Return the power of a share that its colour follows. size: Number of tokens. */
const exponentOf = (/** @type {"root" | "linear"} */ curve, /** @type {number} */ size) =>
  curve === "linear" ? 1 : size > LONG ? 0.35 : 0.5;

/** The colours of weights: a curve from 0 to the weight that has the strongest colour. */
export class Shading {
  /**
   * @param {object} scale
   * @param {"root" | "linear"} scale.curve root: Weak weights remain distinguishable.
   * @param {number} scale.most The weight of the strongest colour.
   * @param {number} [scale.least] Lower weights have the colour of 0.
   * @param {number} [scale.size] Number of tokens.
   */
  constructor({ curve, most, least = 0, size = 0 }) {
    this.most = Math.max(most, 1e-9);
    this.least = least;
    this.exponent = exponentOf(curve, size);
  }

  /** Return the step of a weight's colour on the ramp, 0 to 255. */
  step(/** @type {number} */ weight) {
    return weight < this.least ? 0 : Math.min(255, Math.round(255 * (weight / this.most) ** this.exponent));
  }

  get pixels() {
    return rampPixels();
  }

  strength(/** @type {number} */ weight) {
    return this.step(weight) / 255;
  }

  colour(/** @type {number} */ weight) {
    return ramp()[this.step(weight)];
  }

  /** Return what is written into a cell. precision: What a weight of 0 is smaller than. */
  written(/** @type {number} */ weight, precision = 0) {
    return weight < this.least ? "" : brief(weight, precision);
  }

  /** Return the weight whose colour is at this share of the ramp. */
  weightAt(/** @type {number} */ part) {
    return this.most * part ** (1 / this.exponent);
  }
}

const STOPS = [0, 0.25, 0.5, 0.75, 1];

/**
 * Return a bar of the colours of weights with numbers below it, at equal distances.
 *
 * @param {string[]} numbers From the weak end to the strong end.
 * @param {...any} notes What follows the bar.
 */
export const scaleBar = (numbers, ...notes) =>
  colourBar(STOPS.map(rampColour), numbers, `Colours from ${numbers[0]} to ${numbers.at(-1)}`, ...notes);

/**
 * Return a bar of colours with numbers below it, at equal distances.
 *
 * @param {import("./theme.js").Rgb[]} stops The colours at equal distances.
 * @param {string[]} numbers
 * @param {string} label For screen readers.
 * @param {...any} notes What follows the bar.
 */
export function colourBar(stops, numbers, label, ...notes) {
  const bar = make("span", { class: "colours" });
  bar.style.background = `linear-gradient(to right, ${stops.map(css).join(", ")})`;
  const ends = make("span", { class: "ends number" }, ...numbers.map((number) => make("span", { text: number })));
  return make(
    "div",
    { class: "legend" },
    make("span", { class: "scale", role: "img", "aria-label": label }, bar, ends),
    ...notes,
  );
}

const CURVES = /** @type {[string, string, string][]} */ ([
  ["root", "root", "The colour follows a root of the number, so that small numbers remain distinguishable"],
  ["linear", "linear", "The colour is proportional to the number"],
]);
const EXTENTS = /** @type {[string, string, string][]} */ ([
  ["head", "per head", "The strongest colour is the largest weight of the head"],
  ["global", "all heads", "The strongest colour is the largest weight of all heads, so that heads can be compared"],
]);

/** The scale bar of a view, with buttons that choose the scale. */
export class ScaleLegend {
  /** @param {boolean} hasHeads True if a drawing shows one of several heads, so there are two extents. */
  constructor(hasHeads) {
    this.switches = [new Segments("curve", "Colour scale", CURVES, false)];
    if (hasHeads) this.switches.push(new Segments("extent", "Range of the colours", EXTENTS, false));
    this.bar = make("div");
    this.root = make("div", { class: "scales" }, this.bar, ...this.switches.map(({ element }) => element));
  }

  /** Show the state. shading: null if each drawing has its own, as the note says. */
  show(/** @type {State} */ state, /** @type {Shading | null} */ shading, note = "") {
    const numbers = shading ? [0, 0.5, 1].map((part) => share(shading.weightAt(part))) : ["0", "largest"];
    this.showBar(state, scaleBar(numbers, note ? make("span", { class: "quiet", text: note }) : ""), true);
  }

  /** Show the state and another bar. hasExtent: The user can choose the extent. */
  showBar(/** @type {State} */ state, bar, /** @type {boolean} */ hasExtent) {
    this.bar.replaceChildren(bar);
    for (const one of this.switches) one.show({ ...state, curve: curveOf(state) });
    if (this.switches[1]) this.switches[1].element.hidden = !hasExtent;
  }
}

/** @type {Map<string, number>} */
const known = new Map(); // the largest weights of the last texts
const MOST_KNOWN = 8;

/** Return the largest weight of all heads of the text between the tokens that are shown. */
export async function largestWeight(/** @type {State} */ state) {
  const text = currentText(state);
  const { queries, keys } = shownPositions(state);
  const name = JSON.stringify([text.number, queries, keys]);
  if (known.has(name)) return known.get(name);
  let most = 0;
  for (let layer = 0; layer < about.layers; layer++) {
    const arrays = await layerOf(text, layer);
    for (let head = 0; head < about.heads; head++) {
      most = Math.max(most, largestIn(shownMatrix(text, arrays, head, isSpecialHidden(state)), { queries, keys }));
    }
  }
  if (known.size === MOST_KNOWN) known.delete(known.keys().next().value);
  known.set(name, most);
  return most;
}

/** Return the largest weight between these tokens. */
export function largestIn(
  /** @type {import("./data.js").RowMatrix} */ matrix,
  /** @type {import("./zoom.js").Rows} */ { queries, keys },
) {
  let most = 0;
  for (const query of queries) {
    const weights = matrix.row(query);
    for (const key of keys) if (weights[key] > most) most = weights[key];
  }
  return most;
}
