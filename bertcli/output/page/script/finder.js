// @ts-check
// The box that searches for heads, and its results.

import { about } from "./data.js";
import { fill, make } from "./dom.js";
import { openHead } from "./grid.js";
import { foundHeads, SYNTAX } from "./search.js";
import { currentText } from "./state.js";
import { change, now } from "./store.js";
import { labelOf } from "./tokens.js";

const MOST_FOUND = 12;

const syntax = () => make("p", { class: "quiet syntax", text: `Search by ${SYNTAX}` });

class Finder {
  build(parent) {
    this.input = make("input", {
      type: "search", id: "find", placeholder: "Find heads", autocomplete: "off", spellcheck: "false",
      "aria-label": "Find heads by label, number or statistic", title: `Search by ${SYNTAX}`,
      oninput: () => change({ find: this.input.value }), onfocus: () => this.draw(now()), onkeydown: (event) => this.key(event),
    });
    this.list = make("div", { class: "results", hidden: true });
    parent.append(this.input, this.list);
    document.addEventListener("pointerdown", (event) => parent.contains(event.target) || this.close());
  }

  draw(/** @type {import("./state.js").State} */ state) {
    if (this.input.value !== state.find) this.input.value = state.find;
    const heads = foundHeads(state);
    this.list.hidden = document.activeElement !== this.input;
    if (this.list.hidden) return;
    if (heads === null) {
      this.list.replaceChildren(syntax());
      return;
    }
    const text = currentText(state);
    const first = [...heads].slice(0, MOST_FOUND);
    fill(this.list,
      make("p", { class: "quiet", text: heads.size === 1 ? "1 head" : `${heads.size || "No"} heads` }),
      heads.size ? null : syntax(),
      ...first.map((at) => this.result(text, Math.floor(at / about.heads), at % about.heads)),
      heads.size > first.length ? make("p", { class: "quiet", text: `and ${heads.size - first.length} more; Model and Statistics show all of them` }) : "");
  }

  result(text, layer, head) {
    return make("button", { type: "button", onclick: () => this.open(layer, head) },
      make("span", { text: `Layer ${layer}, head ${head}` }), make("span", { class: "quiet", text: labelOf(text, layer, head) ?? "" }));
  }

  open(layer, head) {
    this.close();
    openHead(layer, head);
  }

  close() {
    this.input.blur();
    this.list.hidden = true;
  }

  key(event) {
    const found = foundHeads(now());
    if (event.key === "Enter" && found?.size) {
      const [at] = found;
      this.open(Math.floor(at / about.heads), at % about.heads);
    } else if (event.key === "Escape") {
      change({ find: "" });
      this.close();
    }
  }
}

export const finder = new Finder();
