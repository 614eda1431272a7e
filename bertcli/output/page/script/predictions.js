// @ts-check
// The predictions for masks, as lists.

import { make } from "./dom.js";
import { share } from "./numbers.js";
import { bar, visible } from "./tokens.js";

/** Return the mask at a position, or undefined. */
export const maskAt = (/** @type {import("./data.js").Text} */ text, /** @type {number | null} */ position) =>
  text.masks.find((mask) => mask.position === position);

/** Return a list of predicted tokens with their probabilities, the most probable first. */
export function candidates(/** @type {import("./data.js").Mask["predictions"]} */ predictions) {
  return make("ol", { class: "bars candidates" }, ...predictions.map(({ token, score, sequence }) =>
    make("li", { title: visible(sequence) },
      make("span", { class: "name", dir: "ltr", text: visible(token) }),
      make("span", { class: "number", text: share(score) }),
      bar(score))));
}

/** Return the predictions for the mask at a position, for a place beside other facts; null if it is no mask. */
export function predictionsAt(/** @type {import("./data.js").Text} */ text, /** @type {number | null} */ position) {
  const mask = maskAt(text, position);
  if (!mask) return null;
  return make("section", { class: "facts" }, make("h2", { text: "Predictions for this mask" }), candidates(mask.predictions.slice(0, 5)));
}
