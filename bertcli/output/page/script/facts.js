// @ts-check
// Facts about heads: their statistics, their labels, and their names in a sentence.

import { about, layerName } from "./data.js";
import { make } from "./dom.js";
import { written } from "./numbers.js";
import { labelOf, statisticOf } from "./tokens.js";

/** @typedef {import("./data.js").Text} Text */

export const MEANINGS = {
  entropy:
    "how evenly a token spreads its attention, in nats: 0 if all goes to one key, ln n if all n keys get the same",
  self: "the share of attention on the token itself",
  previous: "the share of attention on the previous token",
  next: "the share of attention on the next token",
  cls: "the share of attention on [CLS]",
  sep: "the share of attention on [SEP]",
  punctuation: "the share of attention on punctuation",
  distance: "the mean distance to the attended token, in tokens",
  confidence: "the largest weight of a token",
};
export const WITH_SPECIAL = "These count special tokens too. The Statistics view has the numbers without them.";
export const LABELS = ["previous", "next", "self", "delimiter", "broad"];

/** Return what weights are the mean of. */
export const headsInWords = (/** @type {number[]} */ heads) =>
  heads.length === 1 ? `head ${heads[0]}` : `mean of ${heads.length} heads`;

/** Return a one-line summary of a head. all: The statistics of all heads. */
export function inBrief(
  /** @type {Text} */ text,
  /** @type {number} */ layer,
  /** @type {number} */ head,
  /** @type {import("./statistics.js").Numbers[]} */ all = text.statistics,
) {
  const numbers = ["entropy", "previous", "next", "self", "cls", "sep"].flatMap((name) => {
    const number = statisticOf(all, layer, head, name);
    return number === null ? [] : `${name} ${written(name, number)}`;
  });
  return [labelOf(text, layer, head), ...numbers].filter(Boolean).join(" · ");
}

/** Return a section with all statistics of a head. isHidden: The view leaves out special tokens. */
export function factsOf(
  /** @type {Text} */ text,
  /** @type {number} */ layer,
  /** @type {number} */ head,
  /** @type {boolean} */ isHidden,
) {
  const label = labelOf(text, layer, head);
  return make("section", { class: "facts" },
    make("h2", {}, `Layer ${layerName(layer)}, head ${head}`, label && make("span", { class: "label", text: label })),
    make("dl", {}, ...about.statistics.flatMap((name) => [
      make("dt", { text: name, title: MEANINGS[name] }),
      make("dd", { text: written(name, statisticOf(text.statistics, layer, head, name)) }),
    ])),
    isHidden ? make("p", { class: "quiet", text: WITH_SPECIAL }) : null);
}
