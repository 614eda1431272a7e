// What stands in each mask, and where the mask looks.

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
        ? empty("This text has no mask", "Write [MASK] where a word is missing, and this view tells what stands there:", 'bertcli attn "how [MASK] you" --html page.html')
        : empty("No predictions here", `${about.run.model} has no masked-language head.`));
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
      make("h2", { text: text.masks.length > 1 ? `Mask ${at + 1} of ${text.masks.length}` : "In place of the mask" }));
    const left = make("div", {}, this.candidates(predictions));
    const right = make("div", { class: "looks" });
    section.append(make("div", { class: "halves" }, left, right));
    if (!matrices.length) {
      right.append(make("p", { class: "quiet", text: "Choose a head above to see where the mask looks." }));
      return section;
    }
    const mean = (key) => matrices.reduce((sum, matrix) => sum + matrix.at(position, key), 0) / matrices.length;
    const positions = text.tokens.map((_, key) => key);
    const most = Math.max(...positions.map(mean), 1e-9);
    right.append(make("h3", { text: matrices.length === 1 ? `The mask looks, in layer ${state.layer}, head ${soleHead()}` : `The mask looks, in layer ${state.layer}, mean of ${matrices.length} heads` }));
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
        make("span", { class: "number", text: score < 0.0005 ? score.toExponential(1) : share(score) }),
        bar(score))));
  },
};
views.push(masksView);
