// @ts-check
// The findings of a comparison, in words and numbers: a distance, the largest differences, and both heads' statistics.

import { FARTHEST } from "./comparison.js";
import { about } from "./data.js";
import { signed } from "./difference.js";
import { fill, make } from "./dom.js";
import { MEANINGS, WITH_SPECIAL } from "./facts.js";
import { grouped, share, written } from "./numbers.js";
import { Pointing } from "./pointing.js";
import { SLOTS, speltAt } from "./slots.js";
import { change } from "./store.js";
import { bar, statisticOf } from "./tokens.js";

/** @typedef {import("./comparison.js").Comparison} Comparison */

const LISTED = 10;

const percent = (/** @type {number} */ part) => `${(100 * part).toFixed(0)} %`;
const counted = (/** @type {number} */ count, /** @type {string} */ noun, plural = `${noun}s`) =>
  `${grouped(count)} ${count === 1 ? noun : plural}`;

/** Return the distance of the two matrices, and for two texts how they are aligned. */
export function summaryOf(
  /** @type {Comparison} */ comparison,
  /** @type {import("./comparison.js").Distance} */ { mean, queries, shares },
) {
  const {
    isOfTexts,
    sides: [left, right],
  } = comparison;
  const range = `It is 0 for heads that attend alike, and at most ${share(FARTHEST)}.`;
  const meaning = isOfTexts
    ? [
        `Jensen-Shannon distance, the mean over ${counted(queries, "aligned query", "aligned queries")}. Each row is ` +
          `scaled to sum to 1 over the aligned keys, which hold ${percent(shares[0])} of the weights of ${left.name} ` +
          `and ${percent(shares[1])} of those of ${right.name}. ${range}`,
      ]
    : [
        `Jensen-Shannon distance, the mean over ${counted(queries, "query", "queries")}, as `,
        make("code", { text: "attn --head-distance" }),
        ` computes it for all tokens. ${range}`,
      ];
  return [
    make("h2", {}, "Distance ", make("span", { class: "number distance", text: mean === null ? "–" : share(mean) })),
    make(
      "p",
      { class: "quiet" },
      ...(mean === null ? ["No tokens are aligned, so there is nothing to compare."] : meaning),
    ),
    isOfTexts ? make("p", { class: "quiet alignment", text: alignmentOf(comparison) }) : null,
  ];
}

/** Describe how many tokens of two texts are aligned. */
function alignmentOf(/** @type {Comparison} */ { slots, sides: [left, right] }) {
  const same = slots.filter(({ isSame }) => isSame).length;
  const replaced = slots.filter(({ isSame, isAligned }) => isAligned && !isSame).length;
  const rest = [left, right].map(({ text }) => text.size - same - replaced);
  if (!slots.some(({ isSame }) => !isSame)) return "Both texts have the same tokens.";
  const areSomeAlone = rest[0] > 0 || rest[1] > 0;
  return [
    `${counted(same, "token is", "tokens are")} the same in both texts.`,
    replaced ? `${counted(replaced, "replaced token is", "replaced tokens are")} paired and marked ≠.` : null,
    areSomeAlone
      ? `${grouped(rest[0])} of ${left.name} and ${grouped(rest[1])} of ${right.name} are not aligned: ` +
        "they are marked ≠, have no difference (hatched), and count neither in the distance nor in the list."
      : null,
  ]
    .filter(Boolean)
    .join(" ");
}

/**
 * Return an item of a list of differences: a button with names, a number and a bar.
 *
 * @param {Record<string, any>} properties Of the button.
 * @param {any[]} names
 * @param {string} number
 * @param {number} part The length of the bar as a share of 1.
 */
export const rankedItem = (properties, names, number, part) => make("li", {},
  make("button", { type: "button", ...properties },
    make("span", { class: "names" }, ...names), make("strong", { class: "number", text: number }), bar(part)));

/** The largest differences, each as a button that keeps its cell. */
export class DifferenceList {
  constructor() {
    this.list = make("ol", { class: "differences" });
    this.root = make("section", { class: "largest" }, make("h2", { text: "Largest differences" }), this.list);
    const itemOf = ({ target }) => {
      const data = target.closest?.("[data-query]")?.dataset;
      return data ? { query: Number(data.query), key: Number(data.key) } : null;
    };
    this.pointing = new Pointing(this.list, {
      itemAt: itemOf,
      itemInFocus: itemOf,
      point: (place) => change(SLOTS.pointing(place)),
      keep: (place) => change({ ...SLOTS.keeping(place), pointed: null }),
    });
  }

  take(/** @type {Comparison} */ comparison) {
    const found = comparison.largest(LISTED);
    const most = Math.abs(found[0]?.difference ?? 1);
    this.root.hidden = !found.length;
    fill(this.list, ...found.map(({ query, key, difference }) => {
      const [left, right] = comparison.matrices
        .map((matrix) => share(matrix.at(query, key), matrix.precision(query)));
      const properties = {
        class: difference < 0 ? "minus" : null, title: `Keep this cell: ${left} and ${right}`,
        "data-query": query, "data-key": key,
      };
      const names = [...speltAt(comparison, query), " → ", ...speltAt(comparison, key)];
      return rankedItem(properties, names, signed(difference), Math.abs(difference) / most);
    }));
  }

  /** Mark the difference that is kept. */
  mark(/** @type {import("./state.js").State} */ state) {
    const place = SLOTS.placeIn({ ...state, pointed: null });
    for (const button of this.list.querySelectorAll("button")) {
      const isKept = Number(button.dataset.query) === place?.query && Number(button.dataset.key) === place?.key;
      button.setAttribute("aria-pressed", String(isKept));
    }
  }
}

/** Return the statistics of both heads as a table. isHidden: The view leaves out special tokens. */
export function statisticsOf(
  /** @type {import("./compared.js").Chosen[]} */ pair,
  /** @type {string[]} */ names,
  /** @type {boolean} */ isHidden,
) {
  const rows = about.statistics.map((name) => {
    const values = pair.map(({ text, layer, head }) => statisticOf(text.statistics, layer, head, name));
    return make(
      "tr",
      {},
      make("th", { scope: "row", text: name, title: MEANINGS[name] }),
      ...values.map((value) => make("td", { text: written(name, value) })),
    );
  });
  return [
    make("h2", { text: "Statistics" }),
    make(
      "table",
      { class: "both" },
      make("thead", {}, make("tr", {}, make("td"), ...names.map((name) => make("th", { scope: "col", text: name })))),
      make("tbody", {}, ...rows),
    ),
    isHidden ? make("p", { class: "quiet", text: WITH_SPECIAL }) : null,
  ];
}
