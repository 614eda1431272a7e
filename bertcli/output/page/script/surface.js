// @ts-check
// The text above the views, as the user wrote it, with its tokens as chips under it.

import { fill, make } from "./dom.js";
import { Pointing, stopAt } from "./pointing.js";
import { currentText, focus, keeping, placeOfToken } from "./state.js";
import { change, now } from "./store.js";
import { nameOf, visible } from "./tokens.js";
import { wordsOf } from "./words.js";

/**
 * @typedef {import("./data.js").Text} Text
 * @typedef {import("./state.js").State} State
 */

const MOST_CHIPS = 64; // a longer text has no chips
const VIEWS_WITH_CHIPS = ["heads", "matrix"]; // others have tokens of their own, or none

export class SurfaceText {
  constructor(/** @type {any} */ parent) {
    this.root = make("div", { class: "words", dir: "auto" });
    parent.append(this.root);
    /** @type {Text | null} */
    this.text = null;
    this.kept = null;
    /** @type {Map<number, any[]>} */
    this.elements = new Map(); // of each position
    this.pointing = new Pointing(this.root, {
      itemAt: ({ target }) => this.placeAt(target),
      itemInFocus: ({ target }) => this.placeAt(target),
      point: (place) => change({ pointed: place }),
      keep: (place) => change(keeping(now(), place)),
      move: (down, right) => this.move(down || right),
    });
    this.root.addEventListener("focusin", ({ target }) => stopAt(this.options, target));
  }

  /** Return the place of the token of an element, or null. */
  placeAt(target) {
    const found = target.closest?.("[data-position]")?.dataset.position;
    return found === undefined ? null : placeOfToken(now(), Number(found));
  }

  get options() {
    return [...this.root.querySelectorAll("[role=option]")];
  }

  move(/** @type {number} */ by) {
    const { options } = this;
    const at = options.indexOf(document.activeElement);
    if (at < 0) return false;
    options[at + by]?.focus();
    return true;
  }

  draw(/** @type {State} */ state) {
    const text = currentText(state);
    if (this.text !== text) this.show(text);
    this.root.classList.toggle("plain-words", text.size > MOST_CHIPS || !VIEWS_WITH_CHIPS.includes(state.view));
    this.mark(focus(state));
    const kept = state.token ?? state.key;
    if (kept !== this.kept && kept !== null) this.bringIntoSight(this.elements.get(kept)?.[0]);
    this.kept = kept;
  }

  show(/** @type {Text} */ text) {
    this.text = text;
    this.kept = null;
    this.elements = new Map();
    const words = text.spans ? wordsOf(text) : wholeText(text);
    fill(
      this.root,
      ...words.flatMap((word, at) => [
        word.sentence !== (words[at - 1]?.sentence ?? 0) ? make("span", { class: "break" }) : null,
        this.wordElement(text, word),
        " ",
      ]),
    );
    const { options } = this;
    for (const [name, value] of Object.entries({ role: "listbox", "aria-label": "Text" })) {
      if (options.length) this.root.setAttribute(name, value);
      else this.root.removeAttribute(name);
    }
    stopAt(options, options[0]);
  }

  wordElement(/** @type {Text} */ text, /** @type {import("./words.js").Word} */ { fragments, positions, sentence }) {
    const chips =
      text.size > MOST_CHIPS
        ? []
        : positions.map((position) =>
            this.known(
              position,
              make("span", {
                class: "token",
                dir: "ltr",
                title: nameOf(text, position),
                "data-position": position,
                text: visible(text.tokens[position]),
              }),
            ),
          );
    const spelling = fragments.map(({ text: part, position }) =>
      position === null
        ? make("span", { class: "quiet", text: visible(part) })
        : this.known(
            position,
            make("span", {
              class: "fragment",
              role: "option",
              "aria-selected": "false",
              tabindex: -1,
              "data-position": position,
              text: visible(part),
            }),
          ),
    );
    // Tokens of the same place in the text, such as those of one character, share its fragment.
    const shared = spelling.at(-1);
    for (const position of positions) {
      if (shared && !fragments.some((one) => one.position === position)) this.known(position, shared);
    }
    const classes = ["word", sentence === 1 ? "second" : "", fragments.length ? "" : "bare"].filter(Boolean);
    return make("span", { class: classes.join(" ") }, make("span", { class: "spelling" }, ...spelling),
      make("span", { class: "pieces", "aria-hidden": "true" }, ...chips));
  }

  known(/** @type {number} */ position, element) {
    this.elements.set(position, [...(this.elements.get(position) ?? []), element]);
    return element;
  }

  mark(/** @type {import("./state.js").Place | null} */ place) {
    for (const element of this.marked ?? []) {
      element.classList.remove("chosen");
      if (element.role === "option") element.setAttribute("aria-selected", "false");
    }
    this.marked = [place?.query, place?.key].flatMap((position) => this.elements.get(position) ?? []);
    for (const element of this.marked) {
      element.classList.add("chosen");
      if (element.role === "option") element.setAttribute("aria-selected", "true");
    }
  }

  /** Scroll a long text until the element is visible. */
  bringIntoSight(element) {
    if (!element) return;
    const { root } = this;
    const top = element.getBoundingClientRect().top - root.getBoundingClientRect().top;
    if (top < 0 || top > root.clientHeight - 24) root.scrollTop += top - root.clientHeight / 3;
  }
}

/** Return a text without places of tokens: its sentences as they are, and all tokens. */
function wholeText(/** @type {Text} */ text) {
  const whole = [text.text, text.pair].filter((sentence) => sentence !== null)
    .map((sentence, number) => ({ fragments: [{ text: sentence, position: null }], positions: [], sentence: number }));
  const tokens = text.tokens.map((_, position) => ({ fragments: [], positions: [position], sentence: 0 }));
  return [...whole, ...tokens];
}
