// @ts-check
// The box that searches for heads and tokens, and its results.

import { layerName } from "./data.js";
import { fill, make } from "./dom.js";
import { openHead } from "./grid.js";
import { written } from "./numbers.js";
import { found, SYNTAX } from "./search.js";
import { currentText, placeOfHead, shownPositions } from "./state.js";
import { change, now } from "./store.js";
import { labelOf, statisticOf, visible } from "./tokens.js";

const MOST_FOUND = 12;
const VIEWS_WITH_TOKENS = ["heads", "matrix", "neuron", "rollout", "trace"];

const syntax = () => make("p", { class: "quiet syntax", text: `Search by ${SYNTAX}` });

class Finder {
  build(parent) {
    this.parent = parent;
    this.input = make("input", {
      type: "search", id: "find", placeholder: "Find heads, tokens", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find heads by label, number or statistic, or tokens", title: `Search by ${SYNTAX}`,
      oninput: () => change({ find: this.input.value }), onfocus: () => this.draw(now()),
    });
    this.list = make("div", { class: "results", hidden: true });
    parent.append(this.input, this.list);
    parent.addEventListener("keydown", (event) => this.key(event));
    parent.addEventListener("focusout", (event) => parent.contains(event.relatedTarget) || (this.list.hidden = true));
  }

  draw(/** @type {import("./state.js").State} */ state) {
    if (this.input.value !== state.find) this.input.value = state.find;
    this.list.hidden = !this.parent.contains(document.activeElement);
    if (this.list.hidden || document.activeElement !== this.input) return;
    const { heads, tokens, statistic } = found(state);
    if (heads === null && !tokens.length) {
      this.list.replaceChildren(syntax());
      return;
    }
    const text = currentText(state);
    fill(
      this.list,
      ...this.part(
        heads === null ? [] : [...heads],
        "head",
        (at) => this.head(text, at, statistic),
        "Model and Statistics show all of them",
      ),
      ...this.part(tokens, "token", (position) => this.token(text, position), "write more of it"),
      heads?.size || tokens.length ? null : make("p", { class: "quiet", text: "No heads or tokens" }),
      heads?.size || tokens.length ? null : syntax());
  }

  /** Return the elements of the results of one kind: their number, and the first ones. */
  part(results, /** @type {string} */ kind, elementOf, /** @type {string} */ rest) {
    if (!results.length) return [];
    const first = results.slice(0, MOST_FOUND);
    return [
      make("p", { class: "quiet", text: results.length === 1 ? `1 ${kind}` : `${results.length} ${kind}s` }),
      ...first.map(elementOf),
      results.length > first.length
        ? make("p", { class: "quiet", text: `and ${results.length - first.length} more; ${rest}` })
        : null,
    ];
  }

  head(text, /** @type {number} */ at, /** @type {string | null} */ statistic) {
    const { layer, head } = placeOfHead(at);
    const found = statistic === null
      ? null
      : `${statistic} ${written(statistic, statisticOf(text.statistics, layer, head, statistic))}`;
    const facts = [labelOf(text, layer, head), found].filter(Boolean).join(" · ");
    return make(
      "button",
      { type: "button", class: "result", onclick: () => this.openHead(layer, head) },
      make("span", { text: `Layer ${layerName(layer)}, head ${head}` }),
      make("span", { class: "quiet number", text: facts }),
    );
  }

  token(text, /** @type {number} */ position) {
    return make(
      "button",
      { type: "button", class: "result", onclick: () => this.openToken(position) },
      make("bdi", { dir: "ltr", text: visible(text.tokens[position]) }),
      make("span", { class: "quiet number", text: `token ${position}` }),
    );
  }

  openHead(layer, head) {
    this.close();
    openHead(layer, head);
  }

  /** Keep a token, in a view that shows it. */
  openToken(/** @type {number} */ position) {
    this.close();
    const { view } = now();
    const isShown = shownPositions(now()).queries.includes(position);
    change({
      view: VIEWS_WITH_TOKENS.includes(view) ? view : "heads", token: position, key: null, pointed: null,
      ...(isShown ? {} : { filter: "all", special: "show" }), find: "",
    });
    document
      .querySelector(`section:not([hidden]) .queries [data-position="${position}"]`)
      ?.scrollIntoView({ block: "nearest" });
  }

  close() {
    if (document.activeElement instanceof HTMLElement && this.parent.contains(document.activeElement)) {
      document.activeElement.blur();
    }
    this.list.hidden = true;
  }

  key(event) {
    const results = [this.input, ...this.list.querySelectorAll(".result")];
    const at = results.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      results[next]?.focus();
    } else if (event.key === "Enter" && document.activeElement === this.input) results[1]?.click();
    else if (event.key === "Escape") {
      event.preventDefault();
      change({ find: "" });
      this.close();
    }
  }
}

export const finder = new Finder();
