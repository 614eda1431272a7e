// @ts-check
// The predictions for masks, as lists, and the pane that shows them beside other views.

import { fill, make } from "./dom.js";
import { share } from "./numbers.js";
import { currentText, placeOfToken } from "./state.js";
import { change, now } from "./store.js";
import { bar, visible } from "./tokens.js";

/** @typedef {import("./state.js").State} State */

const VIEWS_WITH_PANE = ["heads", "matrix", "neuron", "trace"];
const LISTED = 5; // predictions in the pane
const SPOKEN = 3; // of them, for screen readers

/** Return the mask at a position, or undefined. */
const maskAt = (/** @type {import("./data.js").Text} */ text, /** @type {number | null} */ position) =>
  text.masks.find((mask) => mask.position === position);

/** Return a list of predicted tokens with their probabilities, the most probable first. */
export function candidates(/** @type {import("./data.js").Mask["predictions"]} */ predictions) {
  return make("ol", { class: "bars candidates" }, ...predictions.map(({ token, score, sequence }) =>
    make("li", { title: visible(sequence) },
      make("span", { class: "name", dir: "ltr", text: visible(token) }),
      make("span", { class: "number", text: share(score) }),
      bar(score))));
}

/** A pane beside a view: the predictions for the mask that is pointed at or kept, or for the first one. */
export class MaskPane {
  constructor() {
    this.heading = make("h2");
    this.choice = make("div", { class: "segments", role: "group", "aria-label": "Mask" });
    this.list = make("div");
    this.spoken = make("p", { class: "unseen", "aria-live": "polite" });
    this.more = make("button", { type: "button", class: "chip", onclick: () => change({ view: "masks" }) });
    this.root = make(
      "section",
      { class: "facts neighbour", "aria-label": "Predictions" },
      this.heading,
      this.choice,
      this.list,
      this.more,
      this.spoken,
    );
    /** @type {import("./data.js").Text | null} */
    this.text = null;
    /** @type {import("./data.js").Mask | null} */
    this.mask = null;
    /** @type {number | null} */
    this.asked = null; // position of the mask that was chosen in the pane
  }

  draw(/** @type {State} */ state, /** @type {import("./view.js").View} */ view) {
    const text = currentText(state);
    this.root.hidden = !text.masks.length || !VIEWS_WITH_PANE.includes(state.view);
    if (this.root.hidden) return;
    const home = view.section.querySelector(".readout") ?? view.section;
    if (this.root.parentElement !== home) home.append(this.root);
    const isFirst = this.text !== text;
    if (isFirst) this.take(text);
    const mask = this.maskOf(state);
    if (mask !== this.mask) this.show(mask, !isFirst);
  }

  take(/** @type {import("./data.js").Text} */ text) {
    const { masks } = text;
    Object.assign(this, { text, mask: null, asked: null });
    this.choice.hidden = masks.length < 2;
    fill(
      this.choice,
      ...masks.map(({ position }, at) =>
        make("button", {
          type: "button",
          "data-mask": position,
          text: at + 1,
          title: `Mask ${at + 1} · ${position}`,
          onclick: () => this.choose(position),
        }),
      ),
    );
    const isExplained = masks.some(({ attributions, headEffects }) => attributions || headEffects);
    this.more.textContent = isExplained ? "What contributes to it" : "More about the masks";
  }

  /** Return the mask to show. */
  maskOf(/** @type {State} */ { pointed, token, key }) {
    const places = [pointed?.query, pointed?.key, token, key, this.asked];
    return places.map((position) => maskAt(this.text, position ?? null)).find(Boolean) ?? this.text.masks[0];
  }

  show(/** @type {import("./data.js").Mask} */ mask, /** @type {boolean} */ isSpoken) {
    const { masks } = this.text;
    const name = masks.length > 1 ? `Mask ${masks.indexOf(mask) + 1} of ${masks.length}` : "Predictions for the mask";
    const best = mask.predictions.slice(0, LISTED);
    this.mask = mask;
    this.heading.textContent = name;
    fill(this.list, candidates(best));
    for (const button of this.choice.children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.mask) === mask.position));
    }
    if (!isSpoken) return;
    const words = best.slice(0, SPOKEN).map(({ token, score }) => `${visible(token)} ${share(score)}`);
    this.spoken.textContent = `${name}: ${words.join(", ")}`;
  }

  /** Show a mask and keep it, if the filter of sentences shows it. */
  choose(/** @type {number} */ position) {
    this.asked = position;
    const place = placeOfToken(now(), position);
    change({ token: place?.query ?? null, key: place?.key ?? null, pointed: null });
  }
}
