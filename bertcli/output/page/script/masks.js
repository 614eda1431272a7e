// The mask view: the predictions for each mask, and what the mask attends to.

const masksView = {
  name: "masks",
  title: "Masks",
  controls: ["layer", "heads"],

  build(section) {
    this.body = make("div");
    section.append(this.body);
  },

  async draw() {
    const text = currentText();
    this.shown = null;
    if (!text.masks.length) {
      this.body.replaceChildren(about.hasMlmHead
        ? empty("This text has no mask", "Write [MASK] for a missing word, and this view shows the predictions for it:", 'bertcli attn "how [MASK] you" --html page.html')
        : empty("No predictions", `${about.run.model} has no masked-language-model head.`));
      return;
    }
    const layer = await layerOf(text, state.layer);
    if (text !== currentText() || state.view !== "masks") return;
    this.shown = { text, matrices: chosenHeads().map((head) => headMatrix(layer, head)) };
    this.redraw();
  },

  redraw() {
    if (!this.shown) return;
    const { text, matrices } = this.shown;
    this.body.replaceChildren(...text.masks.map((mask, at) => this.mask(text, mask, at, matrices)));
  },

  mask(text, { position, predictions }, at, matrices) {
    const section = make("section", { class: "mask" },
      make("h2", { text: text.masks.length > 1 ? `Mask ${at + 1} of ${text.masks.length}` : "Predictions for the mask" }));
    const left = make("div", {}, this.candidates(predictions));
    const right = make("div", { class: "looks" });
    section.append(make("div", { class: "halves" }, left, right));
    if (!matrices.length) {
      right.append(make("p", { class: "quiet", text: "Select a head above to see what the mask attends to." }));
      return section;
    }
    const mean = (key) => matrices.reduce((sum, matrix) => sum + matrix.at(position, key), 0) / matrices.length;
    const positions = text.tokens.map((_, key) => key);
    const most = Math.max(...positions.map(mean), 1e-9);
    right.append(make("h3", { text: matrices.length === 1 ? `Attention of the mask in layer ${state.layer}, head ${soleHead()}` : `Attention of the mask in layer ${state.layer}, mean of ${matrices.length} heads` }));
    const flow = new TokenFlow(right, () => {});
    flow.show(text, positions);
    flow.mark(position, (key) => Math.sqrt(mean(key) / most));
    right.append(bars(text, strongest(positions, mean, 8)));
    return section;
  },

  candidates(predictions) {
    return make("ol", { class: "bars candidates" }, ...predictions.map(({ token, score, sequence }) =>
      make("li", { title: visible(sequence) },
        make("span", { class: "name", dir: "ltr", text: visible(token) }),
        make("span", { class: "number", text: share(score) }),
        bar(score))));
  },
};
views.push(masksView);
