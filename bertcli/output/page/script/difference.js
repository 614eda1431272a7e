// @ts-check
// The colours of differences: a curve from the most negative to the most positive, and a bar that shows it.

import { make } from "./dom.js";
import { share } from "./numbers.js";
import { colourBar, Shading } from "./scale.js";
import { colour, poleColour, polePixels, poles } from "./theme.js";

const LEAST_WRITTEN = 0.005; // smaller differences are not written into cells

/** Return a difference with its sign. precision: What a difference of 0 is smaller than. */
export const signed = (/** @type {number} */ difference, precision = 0) =>
  difference === 0 ? share(0, precision) : (difference > 0 ? "+" : "−") + share(Math.abs(difference));

/** The scale of differences. They have no colour where there is no difference. */
export class DifferenceShading extends Shading {
  get pixels() {
    return polePixels();
  }

  /** Return the step of a colour on the scale, 0 to 510; 511, which has no colour, without a difference. */
  step(/** @type {number} */ difference) {
    return Number.isNaN(difference) ? 511 : 255 + Math.sign(difference) * super.step(Math.abs(difference));
  }

  strength(/** @type {number} */ difference) {
    return Number.isNaN(difference) ? 0 : super.step(Math.abs(difference)) / 255;
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
}

/**
 * Return a bar of the colours, with the numbers of its ends and middle, and what its ends mean.
 *
 * @param {number} most
 * @param {string} less
 * @param {string} more
 */
export function differenceBar(most, less, more) {
  const [low, high] = [signed(-most), signed(most)];
  const bar = colourBar([-1, -0.5, 0, 0.5, 1].map(poleColour), [low, "0", high],
    `Colours of differences from ${low}, ${less}, to ${high}, ${more}`,
    make("span", { class: "quiet meanings" },
      make("span", { class: "pole minus", text: less }), make("span", { class: "pole plus", text: more })));
  bar.classList.add("poles");
  return bar;
}
