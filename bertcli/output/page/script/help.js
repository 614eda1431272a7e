// @ts-check
// The help dialog: a list of the keys. The key ? opens it.

import { make } from "./dom.js";
import { SYNTAX } from "./search.js";

const KEYS = [
  ["1 – 8", "open a view"],
  ["← →", "previous, next layer"],
  ["← ↑ → ↓", "in Model and Statistics: move between heads; Enter opens a head, in Model after it has enlarged it"],
  ["[ ]", "select only the previous, next head"],
  ["a", "select all heads or none"],
  ["↑ ↓", "previous, next token"],
  ["− +", "lower, raise the minimum weight"],
  ["0", "automatic minimum weight"],
  ["s", "next filter of sentences A and B"],
  ["t T", "next, previous text"],
  ["/", "find heads"],
  ["d", "light or dark theme"],
  ["c", "in Matrix: compare with another text or head, or stop; in Model: compare texts"],
  ["{ }", "compare with the previous, next head or text"],
  ["x", "exchange what is compared"],
  ["z Z", "in Matrix and Rollout: zoom in, out; PageUp and PageDown move by a screen, with Shift to the side"],
  ["Esc", "show the whole matrix, close an enlarged thumbnail; clear the token and the search"],
  ["?", "this help"],
];

class Help {
  build(dialog) {
    this.dialog = dialog;
    dialog.append(
      make("h2", { id: "help-title", text: "Keys" }),
      make(
        "dl",
        { class: "shortcuts" },
        ...KEYS.flatMap(([key, what]) => [
          make("dt", {}, ...key.split(" ").map((one) => (one === "–" ? " – " : make("kbd", { text: one })))),
          make("dd", { text: what }),
        ]),
      ),
      make("p", { class: "quiet", text: `Find heads by ${SYNTAX}` }),
      make("p", {
        class: "quiet",
        text:
          "The address of this page records the current view: a link or a bookmark restores it, and Back returns to " +
          "the previous view. Double-click a head's button to see only that head.",
      }),
      make("form", { method: "dialog" }, make("button", { class: "plain framed", text: "Close" })),
    );
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  open() {
    if (this.dialog.open) return;
    this.dialog.showModal();
    this.dialog.scrollTop = 0; // the browser scrolls to the button, which it focuses
  }

  get isOpen() {
    return this.dialog.open;
  }
}

export const help = new Help();
