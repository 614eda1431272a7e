// The rollout view: how much of each input token reaches each token through all layers up to a chosen one.

const rolloutView = {
  name: "rollout",
  title: "Rollout",
  controls: ["through", "filter", "least"],

  build(section) {
    const main = make("div", { class: "stage" });
    this.readout = make("aside", { class: "readout" },
      make("h2", { text: "Attention through layers" }),
      make("p", { class: "quiet", text: "Each layer is the average of two equal parts: the mean of its heads, and the identity, for the residual connection. The rollout is the product of these matrices." }),
      make("p", { class: "quiet", text: "A row shows how much each input token contributes to a token after the chosen layer. Each row sums to 1." }),
      make("p", { class: "quiet source", text: "Abnar & Zuidema 2020" }),
      (this.missing = make("p", { class: "note", text: "For a text of this length the page contains only the rollout through all layers, which is shown here." })),
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
      make("h2", {}, spelt(text.tokens[token]), " consists of"),
      bars(text, strongest(rows.keys, (key) => matrix.at(token, key), 10)),
    ]));
  },

  redraw() {
    this.heatmap.redraw();
  },
};
views.push(rolloutView);
