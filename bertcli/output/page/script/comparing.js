// @ts-check
// What a head is compared with: the control that chooses it, and the actions of its keys.

import { about, layerName, textAt, textCount } from "./data.js";
import { make } from "./dom.js";
import { comparedHead, comparedIn, comparedText, currentText, placeOfHead, soleHead } from "./state.js";
import { change, now } from "./store.js";
import { labelOf, titleOf } from "./tokens.js";

/** @typedef {import("./state.js").State} State */

/** Choose what the head is compared with: nothing, another head, or the same head in another text. */
export class CompareControl {
  constructor() {
    const button = (/** @type {string} */ kind, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
      make("button", { type: "button", "data-compare": kind, text: kind, title, onclick });
    this.kinds = {
      nothing: button("nothing", "Do not compare", () => change({ compare: null })),
      head: button("head", "Compare with another head of this text (c)", () => change({ compare: nextHead(now()) })),
      text: button("text", "Compare with the same head in another text (c)", () =>
        change({ compare: nextText(now()) }),
      ),
    };
    this.layer = make(
      "select",
      { "aria-label": "Layer to compare with", onchange: () => this.choose() },
      ...Array.from({ length: about.layers }, (_, value) =>
        make("option", { value, text: `layer ${layerName(value)}` }),
      ),
    );
    this.head = make("select", {
      "aria-label": "Head to compare with",
      title: "Previous or next head: { }",
      onchange: () => this.choose(),
    });
    this.text = make("select", {
      "aria-label": "Text to compare with",
      title: "Previous or next text: { }",
      onchange: () => change({ compare: comparedText(Number(this.text.value)) }),
    });
    this.swap = make("button", {
      type: "button",
      class: "plain",
      text: "⇄",
      title: "Exchange left and right (x)",
      "aria-label": "Exchange left and right",
      onclick: exchange,
    });
    this.box = make("input", {
      type: "checkbox",
      onchange: () => change({ pairs: this.box.checked ? "replaced" : "same" }),
    });
    this.pairs = make(
      "label",
      {
        class: "control",
        title: "Also compare tokens that replace as many others in the same place, such as she and he",
      },
      this.box,
      make("span", { text: "Pair replaced tokens" }),
    );
    this.element = make(
      "div",
      { class: "control compare", role: "group", "aria-label": "Compare with" },
      make("span", { class: "caption", text: "Compare with" }),
      make("span", { class: "segments" }, ...Object.values(this.kinds)),
      this.layer,
      this.head,
      this.text,
      this.swap,
      this.pairs,
    );
  }

  choose() {
    change({ compare: comparedHead(Number(this.layer.value) * about.heads + Number(this.head.value)) });
  }

  show(/** @type {State} */ state) {
    const compare = comparedIn(state);
    const areTexts = textCount() > 1;
    const hasHeads = state.view === "matrix";
    const kind = compare === null ? "nothing" : compare.text === null ? "head" : "text";
    for (const [name, button] of Object.entries(this.kinds)) button.setAttribute("aria-pressed", String(name === kind));
    this.element.hidden = !areTexts && !hasHeads;
    this.kinds.text.hidden = !areTexts;
    this.kinds.head.hidden = !hasHeads;
    this.layer.hidden = this.head.hidden = kind !== "head";
    this.text.hidden = this.pairs.hidden = kind !== "text";
    this.box.checked = state.pairs === "replaced";
    this.swap.hidden = kind === "nothing";
    if (kind === "head") this.showHead(currentText(state), placeOfHead(compare.head));
    if (kind === "text") this.showText(state.text, compare.text);
  }

  showHead(/** @type {import("./data.js").Text} */ text, { layer, head }) {
    this.layer.value = layer;
    this.head.replaceChildren(...Array.from({ length: about.heads }, (_, value) => {
      const label = labelOf(text, layer, value);
      return make("option", { value, text: `head ${value}${label ? ` · ${label}` : ""}` });
    }));
    this.head.value = head;
  }

  showText(/** @type {number} */ own, /** @type {number} */ other) {
    const others = Array.from({ length: textCount() }, (_, number) => number).filter((number) => number !== own);
    this.text.replaceChildren(
      ...others.map((number) =>
        make("option", { value: number, text: `${number + 1}. ${titleOf(textAt(number), 40)}` }),
      ),
    );
    this.text.value = other;
  }
}

const headOf = (/** @type {State} */ state) => state.layer * about.heads + soleHead(state);
const nextHead = (/** @type {State} */ state) => comparedHead((headOf(state) + 1) % (about.layers * about.heads));
const nextText = (/** @type {State} */ { text }) => comparedText((text + 1) % textCount());

/** Compare with another text if there is one, else with another head; or stop comparing. */
export function toggleComparison() {
  const state = now();
  if (comparedIn(state)) change({ compare: null });
  else if (textCount() > 1) change({ compare: nextText(state) });
  else if (state.view === "matrix") change({ compare: nextHead(state) });
}

/** Compare with the head or text before or after the one that is compared with. */
export function stepComparison(/** @type {number} */ by) {
  const compare = comparedIn(now());
  if (!compare) return;
  const beside = (/** @type {number} */ at, /** @type {number} */ count) => (at + by + count) % count;
  if (compare.text === null) {
    change({ compare: comparedHead(beside(compare.head, about.layers * about.heads)) });
    return;
  }
  const next = beside(compare.text, textCount());
  change({ compare: comparedText(next === now().text ? beside(next, textCount()) : next) });
}

/** Exchange what is compared. */
export function exchange() {
  const state = now();
  if (!comparedIn(state)) return;
  const { head, text } = state.compare;
  if (text !== null) change({ text });
  else {
    const other = placeOfHead(head);
    change({ layer: other.layer, heads: new Set([other.head]), compare: comparedHead(headOf(state)) });
  }
}
