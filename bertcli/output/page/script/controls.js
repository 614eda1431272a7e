// @ts-check
// The bar of controls above a view. Each view lists the controls that it uses.

import { CompareControl } from "./comparing.js";
import { about, layerName } from "./data.js";
import { make } from "./dom.js";
import { MEANINGS } from "./facts.js";
import { grouped, share } from "./numbers.js";
import { foundHeads } from "./search.js";
import { currentText, everyHead, FILTERS, isSpecialHidden, soleHead, within } from "./state.js";
import { change, now } from "./store.js";
import { css, headColour, inkOn, partsOf } from "./theme.js";
import { labelOf } from "./tokens.js";
import { SPECIAL_NAMES, specialShare } from "./weights.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./lines.js").Lines} Lines
 */

/** Return the controls, by their names. Each has an element, and a method that shows the state. */
export const controlOf = (/** @type {string} */ name) => (built[name] ??= BUILDERS[name]());

/** @type {Record<string, {element: any, show: (state: State, view: any) => void}>} */
const built = {};

/** @type {Record<string, () => {element: any, show: (state: State, view: any) => void}>} */
const BUILDERS = {
  layer: () => new Stepper("Layer", "layer"),
  through: () => new Stepper("Through layer", "through"),
  heads: () => new HeadChips(true),
  head: () => new HeadChips(false),
  filter: () =>
    new Segments(
      "filter",
      "Sentences",
      FILTERS.map(({ name, title }) => [name, title, null]),
      true,
    ),
  statistic: () =>
    new Segments(
      "statistic",
      "Statistic",
      about.statistics.map((name) => [name, name, MEANINGS[name]]),
      false,
    ),
  drawing: () =>
    new Segments(
      "drawing",
      "Draw as",
      [
        ["matrix", "matrix", "A cell for each weight"],
        ["lines", "lines", "Lines from queries on the left to keys on the right"],
      ],
      true,
    ),
  least: () => new LeastSlider(),
  find: () => new SearchChip(),
  special: () => new SpecialSwitch(),
  compare: () => new CompareControl(),
};

/** Buttons of which one is pressed. */
export class Segments {
  constructor(
    /** @type {string} */ name,
    /** @type {string} */ title,
    /** @type {[string, string, string | null][]} */ choices,
    /** @type {boolean} */ hasCaption,
  ) {
    this.name = name;
    this.buttons = choices.map(([value, text, meaning]) =>
      make("button", {
        type: "button",
        [`data-${name}`]: value,
        text,
        title: meaning,
        onclick: () => change({ [name]: value }),
      }),
    );
    this.element = make(
      "div",
      { class: `control ${name}`, role: "group", "aria-label": title },
      hasCaption ? make("span", { class: "caption", text: title }) : null,
      make("span", { class: "segments" }, ...this.buttons),
    );
  }

  show(/** @type {State} */ state) {
    if (this.name === "filter") this.element.hidden = !currentText(state).sentences.length;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.dataset[this.name] === state[this.name]));
    }
  }
}

/** A slider for the minimum weight. Most weights are small, so its scale is their square root. */
class LeastSlider {
  constructor() {
    /** @type {Lines | null} */
    this.lines = null; // of the head view
    this.slider = make("input", {
      type: "range", min: 0, max: 100, "aria-label": "Minimum weight",
      oninput: () => change({ least: Number(((this.slider.value / 100) ** 2).toFixed(4)) }),
    });
    this.number = make("output", { class: "number" });
    this.automatic = make("button", {
      type: "button",
      class: "chip",
      text: "automatic",
      title: "Keep about five lines a token (0)",
      onclick: () => change({ least: null }),
    });
    this.count = make("span", { class: "quiet number count" });
    this.element = make("div", { class: "control least" },
      make("span", { class: "caption", text: "Minimum weight" }), this.slider, this.number, this.automatic, this.count);
  }

  /** Return the minimum weight of the current view. */
  valueIn(/** @type {State} */ { least, view }) {
    return least ?? (view === "heads" && this.lines ? this.lines.least : 0);
  }

  show(/** @type {State} */ state) {
    const value = this.valueIn(state);
    this.slider.value = Math.round(100 * Math.sqrt(value));
    this.number.textContent = share(value);
    this.automatic.setAttribute("aria-pressed", String(state.least === null));
    const { lines } = this;
    this.automatic.hidden = this.count.hidden = state.view !== "heads" || !lines;
    if (!lines) return;
    this.count.textContent = `${grouped(lines.hidden)} hidden`;
    this.count.title = `${grouped(lines.drawn.length)} of ${grouped(lines.total)} lines are drawn`;
  }

  /** Raise or lower the minimum by a twentieth of the scale. */
  step(/** @type {number} */ by) {
    const place = within(Math.round(20 * Math.sqrt(this.valueIn(now()))) + by, 21) / 20;
    change({ least: Number((place ** 2).toFixed(4)) });
  }
}

const leastSlider = () => /** @type {LeastSlider} */ (controlOf("least"));
export const stepLeast = (/** @type {number} */ by) => leastSlider().step(by);

/** Show how many lines the head view draws and hides. lines: null if no head is selected. */
export function reportLines(/** @type {Lines | null} */ lines) {
  leastSlider().lines = lines;
  leastSlider().show(now());
}

/** A switch that shows or hides special tokens, and says why they are hidden if the user has not decided. */
class SpecialSwitch {
  constructor() {
    this.box = make("input", {
      type: "checkbox", onchange: () => change({ special: this.box.checked ? "hide" : "show" }),
    });
    this.note = make("span", { class: "quiet" });
    this.element = make(
      "label",
      {
        class: "control special",
        title: "Leave out the tokens that the tokenizer adds, and scale the other weights of each row to sum to 1",
      },
      this.box,
      make("span", { text: `Hide ${SPECIAL_NAMES}` }),
      this.note,
    );
  }

  show(/** @type {State} */ state, /** @type {any} */ view) {
    this.box.checked = (state.special === null && view.isSpecialHidden) || isSpecialHidden(state);
    const share = view.specialShare ?? specialShare(currentText(state));
    this.note.textContent = this.box.checked
      ? `(${(100 * share).toFixed(0)} % of the weights, left out; rows sum to 1 without them)` : "";
  }
}

/** The controls that a narrow window folds away, if there are at least two of them. */
export const FOLDED = ["filter", "least", "special", "compare", "drawing"];

/** A button that folds and unfolds controls. The style sheet shows it in a narrow window only. */
export class FoldButton {
  constructor() {
    this.isOpen = false;
    /** @type {any} */
    this.parent = null;
    /** @type {any[]} */
    this.folded = [];
    this.element = make("button", {
      type: "button",
      class: "plain framed fold",
      "aria-controls": "controls",
      onclick: () => {
        this.isOpen = !this.isOpen;
        this.show(this.parent, this.folded);
      },
    });
  }

  /**
   * Fold the controls, unless fewer than two of them apply to the text.
   *
   * @param {any} parent The element of all controls.
   * @param {any[]} folded The elements of the controls to fold.
   */
  show(parent, folded) {
    Object.assign(this, { parent, folded });
    this.element.hidden = folded.filter((element) => !element.hidden).length < 2;
    this.element.textContent = this.isOpen ? "Fewer options" : "Options";
    this.element.setAttribute("aria-expanded", String(this.isOpen));
    parent.classList.toggle("folds", !this.element.hidden && !this.isOpen);
    for (const element of parent.children) element.classList.toggle("folded", folded.includes(element));
  }
}

/** A button that ends the search. */
class SearchChip {
  constructor() {
    this.element = make("button", { type: "button", class: "control chip", onclick: () => change({ find: "" }) });
  }

  show(/** @type {State} */ state) {
    const found = foundHeads(state);
    this.element.hidden = found === null;
    this.element.replaceChildren(`${state.find} `, make("span", { class: "count", text: found?.size ?? 0 }), " ×");
    this.element.setAttribute("aria-label", `Stop searching for ${state.find}`);
  }
}

/** A choice of one layer, with buttons for the layers beside it. */
class Stepper {
  constructor(/** @type {string} */ title, /** @type {"layer" | "through"} */ name) {
    this.name = name;
    const step = (/** @type {number} */ by) => change({ [name]: within(now()[name] + by, about.layers) });
    this.select = make(
      "select",
      { "aria-label": title, "data-control": name, onchange: () => change({ [name]: Number(this.select.value) }) },
      ...Array.from({ length: about.layers }, (_, value) => make("option", { value, text: layerName(value) })),
    );
    this.less = make("button", {
      type: "button",
      "aria-label": `${title}: previous`,
      text: "‹",
      onclick: () => step(-1),
    });
    this.more = make("button", { type: "button", "aria-label": `${title}: next`, text: "›", onclick: () => step(1) });
    this.element = make(
      "div",
      { class: "control stepper" },
      make("span", { class: "caption", text: title }),
      this.less,
      this.select,
      this.more,
    );
  }

  show(/** @type {State} */ state) {
    const value = state[this.name];
    this.select.value = value;
    this.less.disabled = value === 0;
    this.more.disabled = value === about.layers - 1;
  }
}

/** A button for each head, in its colour. areMany: Several heads can be selected. */
class HeadChips {
  constructor(/** @type {boolean} */ areMany) {
    this.areMany = areMany;
    this.chips = Array.from({ length: about.heads }, (_, head) =>
      make("button", {
        type: "button",
        class: "head",
        text: head,
        "data-head": head,
        "aria-label": `head ${head}`,
        onclick: (event) => this.choose(head, event.altKey || event.shiftKey),
        ondblclick: () => this.choose(head, true),
      }),
    );
    this.all = areMany
      ? make("button", {
          type: "button",
          class: "plain",
          text: "all",
          title: "all heads or none",
          onclick: toggleHeads,
        })
      : null;
    const title = areMany ? "Heads" : "Head";
    this.element = make("div", { class: "control chips", role: "group", "aria-label": title },
      make("span", { class: "caption", text: title }), make("span", { class: "row" }, ...this.chips), this.all);
  }

  choose(/** @type {number} */ head, /** @type {boolean} */ isAlone) {
    const heads = new Set(now().heads);
    if (isAlone || !this.areMany) change({ heads: new Set([head]) });
    else {
      if (!heads.delete(head)) heads.add(head);
      change({ heads });
    }
  }

  show(/** @type {State} */ state) {
    const { heads } = state;
    if (this.all) this.all.textContent = heads.size === about.heads ? "none" : "all";
    this.chips.forEach((chip, head) => {
      const isOn = this.areMany ? heads.has(head) : soleHead(state) === head;
      const label = labelOf(currentText(state), state.layer, head);
      chip.setAttribute("aria-pressed", String(isOn));
      chip.title = `head ${head}${label ? ` · ${label}` : ""}${this.areMany ? " · double-click: only this head" : ""}`;
      chip.style.setProperty("--head", css(partsOf(headColour(head))));
      chip.style.color = isOn ? inkOn(partsOf(headColour(head))) : "";
    });
  }
}

/** Select all heads, or none if all are selected. */
export const toggleHeads = () => change({ heads: now().heads.size === about.heads ? new Set() : everyHead() });
