// What the keys do, on ?.

const KEYS = [
  ["1 – 7", "a view"],
  ["← →", "the layer before, after"],
  ["← ↑ → ↓", "in Model and Statistics: the head beside it; Enter opens it"],
  ["[ ]", "the head before, after, alone"],
  ["a", "all heads, or none"],
  ["↑ ↓", "the token before, after"],
  ["− +", "show more, fewer weak weights"],
  ["s", "sentences A and B: the next filter"],
  ["t T", "the next text, the one before"],
  ["/", "find heads"],
  ["d", "light or dark"],
  ["Esc", "let go of token and search"],
  ["?", "this help"],
];

const help = {
  build(dialog) {
    this.dialog = dialog;
    dialog.append(
      make("h2", { id: "help-title", text: "Keys" }),
      make("dl", { class: "shortcuts" }, ...KEYS.flatMap(([key, what]) => [
        make("dt", {}, ...key.split(" ").map((one) => (one === "–" ? " – " : make("kbd", { text: one })))), make("dd", { text: what }),
      ])),
      make("p", { class: "quiet", text: `Heads are found by ${SYNTAX}` }),
      make("p", { class: "quiet", text: "The page's address holds what you look at: a link, or a bookmark, brings it back; Back goes to the view before. Double-click a head's colour to see it alone." }),
      make("form", { method: "dialog" }, make("button", { class: "plain framed", text: "Close" })));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  },
  open() {
    if (!this.dialog.open) this.dialog.showModal();
  },
};
