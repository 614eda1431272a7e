// @ts-check
// What contributed to the prediction for a mask: its tokens, and the attention heads of the model.

import { about, layerName } from "./data.js";
import { make } from "./dom.js";
import { openHead } from "./grid.js";
import { css, inkOn, poleColour } from "./theme.js";
import { nameOf, visible } from "./tokens.js";

/** @typedef {import("./data.js").Text} Text */

const METHODS = {
  occlusion: "how much the log-probability falls when the token is replaced by the mask",
  ig: "integrated gradients of the log-probability over the embeddings",
};

const signed = (/** @type {number} */ number) => (number > 0 ? "+" : "") + number.toPrecision(2);
const written = (/** @type {number | null} */ value) => (value === null ? "–" : signed(value));
const largestOf = (/** @type {(number | null)[]} */ values) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value ?? 0)), 1e-9);

/** Shade an element by a share from -1 to 1, with a readable ink. */
function shade(element, /** @type {number} */ share) {
  const background = poleColour(share);
  element.style.backgroundColor = css(background);
  element.style.color = inkOn(background);
}

const legend = (/** @type {string} */ plus, /** @type {string} */ minus) => make("p", { class: "quiet" },
  make("span", { class: "pole plus", text: plus }), " ", make("span", { class: "pole minus", text: minus }));

/** Return the heading of what an explanation shows about a target. */
function headingOf(/** @type {string} */ shown, /** @type {string} */ target, /** @type {number} */ logprob) {
  const spelling = make("bdi", { dir: "ltr", text: visible(target) });
  return make("h3", {}, `${shown} `, spelling, ` (log-probability ${logprob.toFixed(2)})`);
}

/** Return the text, shaded by how much each token contributes to the log-probability of a target. */
export function attributionOf(/** @type {Text} */ text, { target, method, values, gap, logprob }) {
  const most = largestOf(values);
  const tokens = text.tokens.map((token, position) => {
    const value = values[position];
    const item = make(
      "li",
      { class: "token attributed", dir: "ltr", title: nameOf(text, position) },
      make("span", { text: visible(token) }),
      make("span", { class: "number", text: written(value) }),
    );
    if (value !== null) shade(item, value / most);
    return item;
  });
  const remainder =
    gap === null || gap === undefined ? "" : ` The values differ from the whole change by ${gap.toPrecision(2)}.`;
  return make(
    "section",
    { class: "explained" },
    headingOf("Contribution of each token to", target, logprob),
    make("p", { class: "quiet", text: `${method}: ${METHODS[method] ?? ""}.${remainder}` }),
    make("ol", { class: "flow" }, ...tokens),
    legend("above 0: supports the prediction", "below 0: opposes it"),
  );
}

/** Return a grid of how the log-probability of a target changes without each head. */
export function headEffectsOf({ target, values, logprob }) {
  const most = largestOf(values.flat());
  const grid = make("div", { class: "grid numbers effects" });
  grid.style.setProperty("--heads", String(about.heads));
  grid.append(
    make("span", { class: "corner" }),
    ...values[0].map((_, head) => make("span", { class: "column-name", text: head })),
  );
  values.forEach((row, layer) =>
    grid.append(
      make("span", { class: "row-name", text: layerName(layer) }),
      ...row.map((value, head) => {
        const name = `layer ${layerName(layer)}, head ${head}: ${value === null ? "not computed" : signed(value)}`;
        const cell = make("button", {
          type: "button",
          class: "cell",
          title: name,
          "aria-label": name,
          text: written(value),
          onclick: () => openHead(layer, head),
        });
        shade(cell, -(value ?? 0) / most); // the colour of support is that of the contributions
        return cell;
      }),
    ),
  );
  return make(
    "section",
    { class: "explained" },
    headingOf("Effect of each head on", target, logprob),
    make("p", {
      class: "quiet",
      text:
        "The change of the log-probability when the head is switched off. Rows are layers, columns are heads. " +
        "Click a head to open it.",
    }),
    make("div", { class: "wide" }, grid),
    legend("below 0: the head supports the prediction", "above 0: it opposes it"),
  );
}
