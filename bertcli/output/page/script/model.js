// The model view: a thumbnail of every head's matrix.

const LARGEST_THUMBNAIL = 96; // pixels a side; for a longer text each pixel shows the largest weight of a block

const modelView = {
  name: "model",
  title: "Model",
  controls: ["filter", "find"],

  build(section) {
    this.line = make("p", { class: "pointed" });
    this.grid = make("div", { class: "grid thumbnails", role: "group", "aria-label": "All heads" });
    section.append(this.line, make("div", { class: "wide" }, this.grid));
    this.canvases = [];
    this.pictures = [];
    fillGrid(this.grid, (layer, head) => {
      const canvas = make("canvas");
      this.canvases.push(canvas);
      return make("button", {
        type: "button", class: "thumbnail", "data-layer": layer, "data-head": head,
        "aria-label": `layer ${layer}, head ${head}`, onclick: () => openHead(layer, head),
        onmouseenter: () => this.read(layer, head), onfocus: () => this.read(layer, head),
      }, canvas);
    });
    this.grid.addEventListener("mouseleave", () => this.read(null));
  },

  async draw() {
    const text = currentText();
    const rows = shownPositions(text);
    const drawing = (this.drawing = {});
    dimOthers(this.grid);
    this.read(null);
    const drawn = `${text.number}:${state.filter}`;
    if (drawn === this.drawn) return this.redraw();
    this.drawn = null;
    for (let layer = 0; layer < about.layers; layer++) {
      const arrays = await layerOf(text, layer);
      if (this.drawing !== drawing || state.view !== "model") return;
      for (let head = 0; head < about.heads; head++) {
        const at = layer * about.heads + head;
        this.pictures[at] = pictureOf(headMatrix(arrays, head), rows);
        paintPicture(this.canvases[at], this.pictures[at]);
      }
      await new Promise((resume) => setTimeout(resume));
    }
    this.drawn = drawn;
  },

  redraw() {
    this.pictures.forEach((picture, at) => paintPicture(this.canvases[at], picture));
  },

  read(layer, head) {
    this.line.replaceChildren(...(layer === null
      ? [make("span", { class: "hint", text: "Rows are layers, columns are heads. Each thumbnail is scaled to the largest weight of its head. Click a thumbnail to open the head." })]
      : [make("strong", { text: `Layer ${layer}, head ${head}` }), ` · ${inBrief(currentText(), layer, head)}`]));
  },
};
views.push(modelView);

// Scale a matrix down to a thumbnail. steps: 0 to 255, the square root of each weight's share of the largest.
function pictureOf(matrix, { queries, keys }) {
  const height = Math.min(queries.length, LARGEST_THUMBNAIL) || 1;
  const width = Math.min(keys.length, LARGEST_THUMBNAIL) || 1;
  const cells = new Float32Array(width * height);
  let most = 1e-9;
  queries.forEach((query, row) => {
    const weights = matrix.row(query);
    const to = width * Math.floor((row * height) / queries.length);
    for (let column = 0; column < keys.length; column++) {
      const weight = weights[keys[column]];
      const cell = to + Math.floor((column * width) / keys.length);
      if (weight > cells[cell]) cells[cell] = weight;
    }
    if (matrix.maxima[query] > most) most = matrix.maxima[query];
  });
  return { width, height, steps: Uint8Array.from(cells, (weight) => Math.round(255 * Math.sqrt(Math.min(1, weight / most)))) };
}

function paintPicture(canvas, { width, height, steps }) {
  const colours = ramp();
  const image = new ImageData(width, height);
  steps.forEach((step, cell) => image.data.set([...colours[step], 255], 4 * cell));
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}
