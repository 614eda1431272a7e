// @ts-check
// A scale bar: the colours of a drawing, with the numbers at both ends.

import { make } from "./dom.js";
import { css, rampColour } from "./theme.js";

/**
 * @param {string} low Number at the weak end.
 * @param {string} high Number at the strong end.
 * @param {...any} notes What follows the bar.
 */
export function scaleBar(low, high, ...notes) {
  const scale = make("span", { class: "scale", "aria-hidden": "true" });
  scale.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map((share) => css(rampColour(share))).join(", ")})`;
  return make("div", { class: "legend" }, make("span", { class: "number", text: low }), scale,
    make("span", { class: "number", text: high }), ...notes);
}
