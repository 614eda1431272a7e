// The head view: who looks at whom in one layer, a colour for each head.

const headsView = {
  name: "heads",
  title: "Heads",
  hint: "Left the token that looks, right what it looks at. Point at a token to see its lines alone; click to keep it.",
  controls: ["layer", "heads", "filter", "least"],

  build(section) {
    const main = make("div", { class: "stage" });
    this.readout = make("aside", { class: "readout", "aria-label": "Weights" });
    section.append(make("div", { class: "split" }, main, this.readout));
    this.diagram = new EdgeDiagram(main, () => this.point());
    this.none = empty("No head is chosen", "Switch some on by their colour above, or press a for all of them.");
    main.append(this.none);
    window.addEventListener("scroll", () => state.view === "heads" && soon(() => this.diagram.draw()), { passive: true });
  },

  async draw() {
    const text = currentText();
    const heads = chosenHeads();
    this.none.hidden = heads.length > 0;
    this.diagram.root.hidden = !heads.length;
    const layer = await layerOf(text, state.layer);
    if (text !== currentText() || state.view !== "heads") return;
    this.matrices = heads.map((head) => headMatrix(layer, head));
    if (heads.length) {
      this.diagram.show(text, shownPositions(text), heads, this.matrices);
      this.point();
    } else fill(this.readout);
  },

  redraw() {
    if (this.matrices?.length) this.diagram.draw();
  },

  point() {
    this.diagram.draw();
    this.read();
  },

  read() {
    const text = currentText();
    const { side, position } = focus();
    const heads = chosenHeads();
    const of = heads.length === 1 ? `layer ${state.layer}, head ${heads[0]}` : `layer ${state.layer}, mean of ${heads.length} heads`;
    if (position === null) {
      const { total, everything } = this.diagram;
      const shown = everything.length < total
        ? `The ${everything.length.toLocaleString("en")} strongest of ${total.toLocaleString("en")} lines are drawn; a token under the pointer has all of its own.`
        : null;
      fill(this.readout,
        make("h2", { class: "hint", text: "Point at a token" }),
        make("p", { class: "quiet hint", text: this.hint }),
        shown && make("p", { class: "quiet lines", text: shown }),
        heads.length === 1 ? factsOf(text, state.layer, heads[0]) : legend());
      return;
    }
    const { queries, keys } = shownPositions(text);
    const mean = (query, key) => this.matrices.reduce((sum, matrix) => sum + matrix.at(query, key), 0) / this.matrices.length;
    const found = side === "query"
      ? strongest(keys, (key) => mean(position, key), 10)
      : strongest(queries, (query) => mean(query, position), 10);
    fill(this.readout,
      make("h2", {}, spelt(text.tokens[position]), side === "query" ? " looks at" : " is looked at by"),
      make("p", { class: "quiet", text: of }),
      bars(text, found),
      heads.length === 1 ? factsOf(text, state.layer, heads[0]) : null);
  },
};
views.push(headsView);

function legend() {
  return make("p", { class: "quiet", text: "A line is as strong as its weight, next to the strongest one drawn." });
}

let isDue = false;
function soon(work) {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (!isPrinting) work(); // what is drawn for paper stays until it is printed, and the view is drawn anew then
  });
}
