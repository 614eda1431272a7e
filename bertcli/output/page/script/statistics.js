// The statistics view: a grid of all heads, coloured by one statistic.

const MEANINGS = {
  entropy: "how evenly a token spreads its attention, in nats: 0 if all goes to one key, ln n if all n keys get the same",
  self: "the share of attention on the token itself",
  previous: "the share of attention on the previous token",
  next: "the share of attention on the next token",
  cls: "the share of attention on [CLS]",
  sep: "the share of attention on [SEP]",
  punctuation: "the share of attention on punctuation",
  distance: "the mean distance to the attended token, in tokens",
  confidence: "the largest weight of a token",
};
const LABELS = ["previous", "next", "self", "delimiter", "broad"];

const written = (name, number) => (name === "distance" ? number.toFixed(1) : number.toFixed(2));

const statisticsView = {
  name: "statistics",
  title: "Statistics",
  controls: ["statistic", "find"],

  build(section) {
    this.line = make("p", { class: "pointed" });
    this.grid = make("div", { class: "grid numbers", role: "group", "aria-label": "Statistics of all heads" });
    this.legend = make("div", { class: "legend" });
    this.labels = make("div", { class: "labels" });
    section.append(this.line, make("div", { class: "wide" }, this.grid), this.legend, this.labels);
    fillGrid(this.grid, (layer, head) => make("button", {
      type: "button", class: "cell", "data-layer": layer, "data-head": head, onclick: () => openHead(layer, head),
      onmouseenter: () => this.read(layer, head), onfocus: () => this.read(layer, head),
    }));
    this.cells = [...this.grid.querySelectorAll(".cell")];
    this.grid.addEventListener("mouseleave", () => this.read(null));
  },

  draw() {
    const text = currentText();
    const name = state.statistic;
    const [low, high] = this.range(text, name);
    for (const cell of this.cells) {
      const [layer, head] = [Number(cell.dataset.layer), Number(cell.dataset.head)];
      const number = statisticOf(text, layer, head, name);
      const part = high > low ? (number - low) / (high - low) : 0;
      cell.textContent = written(name, number);
      cell.style.backgroundColor = rampColour(part);
      cell.style.color = inkOn(part);
      cell.setAttribute("aria-label", `layer ${layer}, head ${head}: ${name} ${written(name, number)}`);
    }
    dimOthers(this.grid);
    this.explain(name, low, high);
    this.count(text);
    this.read(null);
  },

  redraw() {
    this.draw();
  },

  range(text, name) {
    if (name === "entropy") return [0, Math.log(text.size)];
    if (name !== "distance") return [0, 1];
    const at = about.statistics.indexOf(name);
    return [0, Math.max(...text.statistics.map((numbers) => numbers[at]))];
  },

  explain(name, low, high) {
    const scale = make("span", { class: "scale", "aria-hidden": "true" });
    scale.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(rampColour).join(", ")})`;
    this.legend.replaceChildren(make("span", { class: "number", text: written(name, low) }), scale,
      make("span", { class: "number", text: written(name, high) }), make("span", { class: "quiet", text: `${name}: ${MEANINGS[name]}; mean over tokens` }));
  },

  count(text) {
    const buttons = LABELS.map((label) => {
      const count = text.labels.filter((found) => found === label).length;
      return make("button", {
        type: "button", class: "chip", disabled: count === 0, "aria-pressed": state.find === label ? "true" : "false",
        onclick: () => look({ find: state.find === label ? "" : label }),
      }, label, make("span", { class: "count", text: count }));
    });
    this.labels.replaceChildren(...buttons, make("span", { class: "quiet", text: about.thresholds }));
  },

  read(layer, head) {
    this.line.replaceChildren(...(layer === null
      ? [make("span", { class: "hint", text: "Rows are layers, columns are heads. Click a head to open it." })]
      : [make("strong", { text: `Layer ${layer}, head ${head}` }), ` · ${inBrief(currentText(), layer, head)}`]));
  },
};
views.push(statisticsView);

// Return a one-line summary of a head.
function inBrief(text, layer, head) {
  const numbers = ["entropy", "previous", "next", "self", "cls", "sep"]
    .map((name) => `${name} ${written(name, statisticOf(text, layer, head, name))}`);
  return [labelOf(text, layer, head), ...numbers].filter(Boolean).join(" · ");
}

// Return a section with all statistics of a head.
function factsOf(text, layer, head) {
  const label = labelOf(text, layer, head);
  return make("section", { class: "facts" },
    make("h3", {}, `Layer ${layer}, head ${head}`, label && make("span", { class: "label", text: label })),
    make("dl", {}, ...about.statistics.flatMap((name) => [
      make("dt", { text: name, title: MEANINGS[name] }),
      make("dd", { text: written(name, statisticOf(text, layer, head, name)) }),
    ])));
}
