// Rollout: how much of each token reaches each other one through all layers up to one.

const rolloutView = {
  name: "rollout",
  title: "Rollout",
  controls: ["through", "filter", "least"],

  build(section) {
    const main = make("div", { class: "stage" });
    this.readout = make("aside", { class: "readout" },
      make("h2", { text: "Attention through layers" }),
      make("p", { class: "quiet", text: "Each layer counts as the mean of its heads and, in equal parts, the token itself, as the residual connection carries it on; the layers are multiplied one by one." }),
      make("p", { class: "quiet", text: "A row says of which input tokens a token is made by then. Rows sum to 1." }),
      make("p", { class: "quiet source", text: "Abnar & Zuidema 2020" }),
      (this.missing = make("p", { class: "note", text: "At this length the page holds the rollout through all layers only, and that is what is shown." })),
      (this.found = make("div")));
    section.append(make("div", { class: "split" }, main, this.readout));
    this.heatmap = new Heatmap(main);
  },

  async draw() {
    const text = currentText();
    const last = about.layers - 1;
    const found = await rolloutOf(text, state.through);
    const matrix = found ?? (await rolloutOf(text, last));
    if (text !== currentText() || state.view !== "rollout") return;
    this.missing.hidden = found !== null;
    const rows = shownPositions(text);
    this.heatmap.show(text, rows, matrix, `Rollout through layer ${found ? state.through : last}`);
    const token = rows.queries.includes(state.token) ? state.token : null;
    this.found.replaceChildren(...(token === null ? [] : [
      make("h2", {}, spelt(text.tokens[token]), " is made of"),
      bars(text, strongest(rows.keys, (key) => matrix.at(token, key), 10)),
    ]));
  },

  redraw() {
    this.heatmap.redraw();
  },
};
views.push(rolloutView);
