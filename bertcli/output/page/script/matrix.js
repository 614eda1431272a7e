// The matrix view: the weights of one head, one row per query and one column per key.

const LARGEST_CELL = 46;
const LABELLED_CELL = 11;
const NUMBERED_CELL = 30;

class Heatmap {
  constructor(parent) {
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "img", tabindex: 0 });
    this.box = make("div", { class: "heatmap" }, this.canvas);
    parent.append(this.line, this.box);
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("mouseleave", () => this.leave());
    this.canvas.addEventListener("click", () => this.keep());
    this.at = null;
  }

  show(text, rows, matrix, name) {
    Object.assign(this, { text, rows, matrix });
    this.canvas.setAttribute("aria-label", name);
    this.at = null;
    this.image = this.pixels();
    this.paint();
    this.read();
  }

  redraw() {
    if (!this.matrix) return;
    this.image = this.pixels();
    this.paint();
  }

  // Return the strength of a weight's colour: a root of its share of the largest weight, so that weak weights remain
  // distinguishable. In long texts most weights are far below the largest, hence the smaller exponent.
  strength(weight) {
    return (weight / this.most) ** (this.matrix.size > 64 ? 0.35 : 0.5);
  }

  pixels() {
    const { queries, keys } = this.rows;
    const image = new ImageData(Math.max(1, keys.length), Math.max(1, queries.length));
    const colours = ramp();
    let most = 1e-9;
    for (const query of queries) for (const key of keys) most = Math.max(most, this.matrix.at(query, key));
    this.most = most;
    let at = 0;
    for (const query of queries) {
      for (const key of keys) {
        const weight = this.matrix.at(query, key);
        const [red, green, blue] = colours[weight < state.least ? 0 : Math.round(255 * this.strength(weight))];
        image.data[at++] = red;
        image.data[at++] = green;
        image.data[at++] = blue;
        image.data[at++] = 255;
      }
    }
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  measure() {
    const { queries, keys } = this.rows;
    const width = roomIn(this.box);
    const context = this.canvas.getContext("2d");
    context.font = `13px ${FONT}`;
    const widest = (positions) => Math.min(120, Math.ceil(Math.max(...positions.map((at) => context.measureText(visible(this.text.tokens[at]).slice(0, 40)).width), 12)));
    const left = Math.min(widest(queries) + 10, width * 0.28);
    const top = Math.min(widest(keys) + 10, 110);
    const cell = Math.min(LARGEST_CELL, (width - left) / keys.length);
    if (cell >= LABELLED_CELL) return { left, top, cell, hasLabels: true };
    return { left: 0, top: 0, cell: Math.min(LARGEST_CELL, width / keys.length, Math.max(360, window.innerHeight - 190) / queries.length), hasLabels: false };
  }

  paint() {
    const { queries, keys } = this.rows;
    if (!queries.length || !keys.length) return;
    const frame = (this.frame = this.measure());
    const { left, top, cell } = frame;
    const context = fitted(this.canvas, left + cell * keys.length, top + cell * queries.length);
    context.imageSmoothingEnabled = cell < 1;
    context.drawImage(this.image, left, top, cell * keys.length, cell * queries.length);
    if (cell >= LABELLED_CELL) {
      context.strokeStyle = colour("paper");
      context.lineWidth = 1;
      context.beginPath();
      for (let at = 0; at <= keys.length; at++) context.rect(left + at * cell - 0.5, top, 0, cell * queries.length);
      for (let at = 0; at <= queries.length; at++) context.rect(left, top + at * cell - 0.5, cell * keys.length, 0);
      context.stroke();
    }
    if (frame.hasLabels) this.paintLabels(context, frame);
    if (cell >= NUMBERED_CELL) this.paintNumbers(context, frame);
    this.paintCross(context, frame);
  }

  paintLabels(context, { left, top, cell }) {
    context.font = `${Math.min(13, cell)}px ${FONT}`;
    context.textBaseline = "middle";
    const label = (position, isChosen) => {
      context.fillStyle = isChosen ? colour("accent") : colour("ink");
      return visible(this.text.tokens[position]);
    };
    context.textAlign = "right";
    this.rows.queries.forEach((position, at) => {
      const name = label(position, this.at ? this.at.row === at : state.token === position);
      context.fillText(shortened(context, name, left - 10), left - 7, top + (at + 0.5) * cell);
    });
    context.textAlign = "left";
    this.rows.keys.forEach((position, at) => {
      const name = label(position, this.at?.column === at);
      context.save();
      context.translate(left + (at + 0.5) * cell, top - 7);
      context.rotate(-Math.PI / 2);
      context.fillText(shortened(context, name, top - 10), 0, 0);
      context.restore();
    });
  }

  paintNumbers(context, { left, top, cell }) {
    context.font = `12px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    this.rows.queries.forEach((query, row) => this.rows.keys.forEach((key, column) => {
      const weight = this.matrix.at(query, key);
      if (weight < Math.max(0.005, state.least)) return;
      context.fillStyle = inkOn(this.strength(weight));
      const hundredths = Math.round(100 * weight);
      context.fillText(hundredths === 100 ? "1" : `.${String(hundredths).padStart(2, "0")}`, left + (column + 0.5) * cell, top + (row + 0.5) * cell);
    }));
  }

  paintCross(context, { left, top, cell }) {
    const row = this.at ? this.at.row : this.rows.queries.indexOf(state.token);
    if (row < 0) return;
    context.strokeStyle = colour("accent");
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.5, top + row * cell, cell * this.rows.keys.length - 1, Math.max(cell, 2));
    if (this.at) context.strokeRect(left + this.at.column * cell, top + 0.5, Math.max(cell, 2), cell * this.rows.queries.length - 1);
  }

  point(event) {
    const { left, top, cell } = this.frame;
    const column = Math.floor((event.offsetX - left) / cell);
    const row = Math.floor((event.offsetY - top) / cell);
    const isInside = row >= 0 && column >= 0 && row < this.rows.queries.length && column < this.rows.keys.length;
    if (!isInside) return this.leave();
    if (this.at?.row === row && this.at?.column === column) return;
    this.at = { row, column };
    soon(() => this.paint());
    this.read();
  }

  leave() {
    if (!this.at) return;
    this.at = null;
    soon(() => this.paint());
    this.read();
  }

  keep() {
    if (this.at) look({ token: state.token === this.rows.queries[this.at.row] ? null : this.rows.queries[this.at.row] });
  }

  read() {
    if (!this.at) {
      const row = this.rows.queries.includes(state.token) ? state.token : null;
      if (row === null) {
        const hint = make("span", { class: "hint", text: "Point at a cell to read its weight. Rows are queries, columns are keys." });
        return this.line.replaceChildren(this.most < state.least ? nothingReaches(this.most) : hint);
      }
      const [{ position, weight }] = strongest(this.rows.keys, (key) => this.matrix.at(row, key), 1);
      return this.pair(row, position, weight, " (largest)");
    }
    const query = this.rows.queries[this.at.row];
    const key = this.rows.keys[this.at.column];
    return this.pair(query, key, this.matrix.at(query, key), "");
  }

  pair(query, key, weight, words) {
    const name = (position) => spelt(this.text.tokens[position], { class: "name" });
    this.line.replaceChildren(name(query), make("span", { class: "place", text: query }), " → ", name(key),
      make("span", { class: "place", text: key }), make("strong", { class: "number", text: share(weight) }), words);
  }
}

const matrixView = {
  name: "matrix",
  title: "Matrix",
  controls: ["layer", "head", "filter", "least"],

  build(section) {
    const main = make("div", { class: "stage" });
    this.facts = make("aside", { class: "readout", "aria-label": "Statistics of the head" });
    section.append(make("div", { class: "split" }, main, this.facts));
    this.heatmap = new Heatmap(main);
  },

  async draw() {
    const text = currentText();
    const head = soleHead();
    const layer = await layerOf(text, state.layer);
    if (text !== currentText() || state.view !== "matrix") return;
    this.heatmap.show(text, shownPositions(text), headMatrix(layer, head), `Weights of layer ${state.layer}, head ${head}`);
    this.facts.replaceChildren(factsOf(text, state.layer, head));
  },

  redraw() {
    this.heatmap.redraw();
  },
};
views.push(matrixView);
