// @ts-check
// Tokens as text, and lists of tokens with their weights.

import { about } from "./data.js";
import { make } from "./dom.js";
import { share } from "./numbers.js";
import { Pointing, stopAt } from "./pointing.js";
import { css, inkOn, rampColour } from "./theme.js";

/** @typedef {import("./data.js").Text} Text */

/**
 * Return a token in visible form. Characters that change the text direction, or show nothing, are escaped. Callers show
 * tokens left to right, even those of right-to-left scripts, so that ## comes first, as the tokenizer spells it.
 */
export function visible(/** @type {string} */ token) {
  const seen = token.replace(/[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
  return seen.trim() === "" ? "␣".repeat(Math.max(1, seen.length)) : seen;
}

/** Return a text in one line, cut to a number of characters. */
export function titleOf(/** @type {Text} */ { text, pair }, most = 90) {
  const whole = pair === null ? text : `${text} ‖ ${pair}`;
  return visible(whole.length > most ? `${whole.slice(0, most)}…` : whole);
}

/** Return an element with a token for use within a sentence. */
export const spelt = (/** @type {string} */ token, properties = {}) =>
  make("bdi", { dir: "ltr", text: visible(token), ...properties });

/** Return the name of a token for screen readers and tooltips. */
export const nameOf = (/** @type {Text} */ text, /** @type {number} */ position) =>
  `${visible(text.tokens[position])} · ${position}`;

/** A list of tokens to point at and keep, in a row or below each other, which can be shaded by a share each. */
export class TokenList {
  /**
   * @param {any} parent
   * @param {object} use
   * @param {string} use.name The name for screen readers.
   * @param {string} [use.classes]
   * @param {boolean} [use.isColumn]
   * @param {(position: number | null) => void} use.point
   * @param {(position: number) => void} use.keep
   */
  constructor(parent, { name, classes = "flow", isColumn = false, point, keep }) {
    this.root = make("ol", { class: classes, role: "listbox", "aria-label": name });
    this.isColumn = isColumn;
    parent.append(this.root);
    this.shown = "";
    /** @type {Map<number, any>} */
    this.items = new Map();
    this.chosenItem = this.keptItem = undefined;
    this.pointing = new Pointing(this.root, {
      itemAt: ({ target }) => this.positionOf(target),
      itemInFocus: ({ target }) => this.positionOf(target),
      point,
      keep,
      move: (down, right) => this.move(isColumn ? down : down || right, isColumn ? right : 0),
    });
    this.root.addEventListener(
      "focusin",
      ({ target }) =>
        this.positionOf(target) !== null && stopAt(this.items.values(), target.closest("[data-position]")),
    );
  }

  positionOf(target) {
    const position = target.closest?.("[data-position]")?.dataset.position;
    return position === undefined ? null : Number(position);
  }

  move(/** @type {number} */ along, /** @type {number} */ across) {
    const at = document.activeElement?.closest("[data-position]");
    if (!at || across || !this.root.contains(at)) return false;
    const next = along > 0 ? at.nextElementSibling : at.previousElementSibling;
    if (next instanceof HTMLElement) next.focus();
    return true;
  }

  show(/** @type {Text} */ text, /** @type {number[]} */ positions) {
    const shown = `${text.number}:${positions.join()}`;
    if (this.shown === shown) return;
    this.shown = shown;
    this.items = new Map(positions.map((position) => [position, make("li", {
      role: "option", class: text.sentences[position] === 1 ? "token second" : "token", "data-position": position,
      dir: "ltr", title: nameOf(text, position), "aria-selected": "false", tabindex: -1,
    }, make("span", { text: visible(text.tokens[position]) }))]));
    this.root.replaceChildren(...this.items.values());
    stopAt(this.items.values(), this.items.get(positions[0]));
  }

  /**
   * Mark the token in focus and the kept one, and shade all tokens.
   *
   * @param {number | null} chosen
   * @param {number | null} [kept]
   * @param {((position: number) => number) | null} [shareAt] Return the share of 1 of a token's shade.
   */
  mark(chosen, kept = chosen, shareAt = null) {
    const [item, keptItem] = [chosen, kept].map((position) => this.items.get(position));
    if (item !== this.chosenItem) this.chosenItem?.classList.remove("chosen");
    item?.classList.add("chosen");
    if (keptItem !== this.keptItem) this.keptItem?.setAttribute("aria-selected", "false");
    keptItem?.setAttribute("aria-selected", "true");
    Object.assign(this, { chosenItem: item, keptItem });
    if (!shareAt) return;
    for (const [position, one] of this.items) {
      const background = rampColour(shareAt(position));
      one.style.backgroundColor = css(background);
      one.style.color = inkOn(background);
    }
  }
}

/**
 * Return the strongest weights, strongest first.
 *
 * @param {number[]} positions
 * @param {(position: number) => number} weightAt
 * @param {number} count
 */
export function strongest(positions, weightAt, count) {
  return positions
    .map((position) => ({ position, weight: weightAt(position) }))
    .sort((a, b) => b.weight - a.weight || a.position - b.position)
    .slice(0, count);
}

/**
 * Return a bar whose length shows a share of 1.
 *
 * @param {number} part
 * @param {{colour: string, part: number}[]} [stack] Coloured parts, which sum to the share.
 */
export function bar(part, stack) {
  const element = make("span", { class: "bar" });
  element.style.width = `${100 * part}%`;
  if (stack && part > 0) element.style.backgroundImage = stackedColours(stack, part);
  return make("span", { class: "track" }, element);
}

/** Return the coloured parts as one image, which is faster than an element for each. */
function stackedColours(/** @type {{colour: string, part: number}[]} */ stack, /** @type {number} */ whole) {
  let end = 0;
  const stops = stack.map(({ colour, part }) => `${colour} 0 ${((100 * (end += part)) / whole).toFixed(2)}%`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/**
 * Return a list of tokens with their weights as numbers and bars.
 *
 * @param {Text} text
 * @param {{position: number, weight: number}[]} found
 * @param {(position: number) => number} precisionAt What a weight of 0 is smaller than.
 * @param {(position: number) => {colour: string, part: number}[]} [stackAt]
 * @param {(position: number) => void} [goTo] What a click on a row does.
 */
export function bars(text, found, precisionAt, stackAt, goTo) {
  return make(
    "ol",
    { class: "bars" },
    ...found.map(({ position, weight }) => {
      const name = visible(text.tokens[position]);
      return make(
        "li",
        { "data-position": position },
        goTo
          ? make("button", {
              type: "button",
              class: "name",
              dir: "ltr",
              text: name,
              title: `Go to ${name}`,
              onclick: () => goTo(position),
            })
          : make("span", { class: "name", dir: "ltr", text: name, title: name }),
        make("span", { class: "place", text: position }),
        make("span", { class: "number", text: share(weight, precisionAt(position)) }),
        bar(weight, stackAt?.(position)),
      );
    }),
  );
}

/** Return the statistic of a head, or null. all: The statistics of all heads. */
export const statisticOf = (
  /** @type {import("./statistics.js").Numbers[]} */ all,
  /** @type {number} */ layer,
  /** @type {number} */ head,
  /** @type {string} */ name,
) => all[layer * about.heads + head][about.statistics.indexOf(name)];

/** Return the label of a head, or null. */
export const labelOf = (/** @type {Text} */ text, /** @type {number} */ layer, /** @type {number} */ head) =>
  text.labels[layer * about.heads + head];
