// @ts-check
// The colours of differences: a curve from the most negative to the most positive, and a bar that shows it.

import { make } from "./dom.js";
import { share } from "./numbers.js";
import { exponentOf } from "./scale.js";
import { colour, css, poleColour, polePixels, poles } from "./theme.js";

const LEAST_WRITTEN = 0.005; // smaller differences are not written into cells

/** Return a difference with its sign. */
export const signed = (/** @type {number} */ difference) =>
  difference === 0 ? "0" : (difference > 0 ? "+" : "−") + share(Math.abs(difference));

export class DifferenceShading {
  /**
   * @param {object} scale
   * @param {"root" | "linear"} scale.curve root: Small differences remain distinguishable.
   * @param {number} scale.most The difference of the strongest colour.
   * @param {number} [scale.least] Smaller differences have the colour of 0.
   * @param {number} [scale.size] Number of tokens.
   */
  constructor({ curve, most, least = 0, size = 0 }) {
    this.most = Math.max(most, 1e-9);
    this.least = least;
    this.exponent = exponentOf(curve, size);
  }

  get pixels() {
    return polePixels();
  }

  /** Return the step of a colour on the scale, 0 to 510; 511, which has no colour, without a difference. */
  step(/** @type {number} */ difference) {
    if (Number.isNaN(difference)) return 511;
    const size = Math.abs(difference);
    return 255 + Math.sign(difference) * (size < this.least ? 0 : Math.min(255, Math.round(255 * (size / this.most) ** this.exponent)));
  }

  strength(/** @type {number} */ difference) {
    return Number.isNaN(difference) ? 0 : Math.abs(this.step(difference) - 255) / 255;
  }

  colour(/** @type {number} */ difference) {
    return poles()[this.step(difference)];
  }

  stroke(/** @type {number} */ difference) {
    return colour(difference < 0 ? "pole-minus" : "pole-plus");
  }

  /** Return what is written into a cell: a sign and two digits, since a cell has no room for more. */
  written(/** @type {number} */ difference) {
    const size = Math.abs(difference);
    if (!(size >= Math.max(this.least, LEAST_WRITTEN))) return "";
    return (difference > 0 ? "+" : "−") + (size >= 0.995 ? "1" : size.toFixed(2).slice(1));
  }

  /** Return the colour at a share of the scale, from -1 to 1, as text. */
  static css(/** @type {number} */ part) {
    return css(poleColour(part));
  }
}

/**
 * Return a bar of the colours, with the numbers of its ends and middle, and what its ends mean.
 *
 * @param {number} most
 * @param {string} less
 * @param {string} more
 */
export function differenceBar(most, less, more) {
  const bar = make("span", { class: "colours" });
  bar.style.background = `linear-gradient(to right, ${[-1, -0.5, 0, 0.5, 1].map(DifferenceShading.css).join(", ")})`;
  const ends = [signed(-most), "0", signed(most)];
  return make("div", { class: "legend poles" },
    make("span", { class: "scale", role: "img", "aria-label": `Colours of differences from ${ends[0]}, ${less}, to ${ends[2]}, ${more}` },
      bar, make("span", { class: "ends number" }, ...ends.map((end) => make("span", { text: end })))),
    make("span", { class: "quiet meanings" }, make("span", { class: "pole minus", text: less }), make("span", { class: "pole plus", text: more })));
}
