// The head view: the attention between tokens in one layer, with a colour for each head.

const headsView = {
  name: "heads",
  title: "Heads",
  hint: "Queries are on the left, keys on the right. Point at a token to see only its lines; click a query to keep it selected.",
  controls: ["layer", "heads", "filter", "least"],

  build(section) {
    const main = make("div", { class: "stage" });
    this.readout = make("aside", { class: "readout", "aria-label": "Weights" });
    section.append(make("div", { class: "split" }, main, this.readout));
    this.diagram = new EdgeDiagram(main, () => this.point());
    this.none = empty("No head is selected", "Select heads above, or press a to select all.");
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
        ? `The ${everything.length.toLocaleString("en")} strongest of ${total.toLocaleString("en")} lines are drawn. Point at a token to see all of its weights.`
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
      make("h2", {}, spelt(text.tokens[position]), side === "query" ? " attends to" : " receives attention from"),
      make("p", { class: "quiet", text: of }),
      bars(text, found),
      heads.length === 1 ? factsOf(text, state.layer, heads[0]) : null);
  },
};
views.push(headsView);

function legend() {
  return make("p", { class: "quiet", text: "The opacity of a line is its weight relative to the strongest line drawn." });
}

let isDue = false;
function soon(work) {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (!isPrinting) work(); // keep the drawing for paper until printing ends; the view is redrawn then
  });
}
