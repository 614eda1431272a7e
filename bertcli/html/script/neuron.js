// The neuron view: how one token's query meets each key, what their product sums to, and the softmax over these sums.

const VECTOR_ROW = 26;

const neuronView = {
  name: "neuron",
  title: "Neuron",
  controls: ["layer", "head", "filter"],

  build(section) {
    this.section = section;
    this.body = make("div", { class: "neuron" });
    section.append(this.body);
    this.flow = new TokenFlow(this.body, () => this.point());
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "img", "aria-label": "Query, key, their product and the softmax" });
    this.box = make("div", { class: "vectors" }, this.canvas);
    this.body.append(this.line, this.box);
    this.missing = make("div");
    section.append(this.missing);
    this.canvas.addEventListener("mousemove", (event) => this.readCell(event));
    this.canvas.addEventListener("mouseleave", () => this.read());
  },

  async draw() {
    const text = currentText();
    const [layer, vectors] = await Promise.all([layerOf(text, state.layer), vectorsOf(text, state.layer)]);
    if (text !== currentText() || state.view !== "neuron") return;
    this.body.hidden = vectors === null;
    this.missing.replaceChildren(vectors ? "" : this.reason(text));
    if (!vectors) return;
    const { queries, keys } = shownPositions(text);
    this.flow.show(text, queries);
    Object.assign(this, { text, queries, keys, vectors, matrix: headMatrix(layer, soleHead()) });
    this.point();
  },

  reason(text) {
    return about.run.engine === "transformers"
      ? empty("No query and key vectors here", "The transformers engine does not show them. Write the page with --engine numpy or --engine torch for this view.")
      : empty("No query and key vectors here", `At ${text.size} tokens they would make the page too large, so they are left out. A shorter text has them.`);
  },

  // The token whose query is shown: the one pointed at, or kept, or the first word.
  query() {
    const { position } = focus();
    if (this.queries.includes(position)) return position;
    return this.queries.includes(1) ? 1 : (this.queries[0] ?? null);
  },

  point() {
    const query = this.query();
    this.flow.mark(query);
    if (query === null) return;
    this.compute(query);
    this.paint();
    this.read();
  },

  compute(query) {
    const head = soleHead();
    const q = this.vectors.query(head, query);
    this.rows = this.keys.map((key) => {
      const k = this.vectors.key(head, key);
      const product = k.map((number, at) => number * q[at]);
      const score = product.reduce((sum, number) => sum + number, 0) / Math.sqrt(q.length);
      return { key, k, product, score, weight: this.matrix.at(query, key) };
    });
    this.q = q;
    const largest = (vectors) => Math.max(...vectors.map((vector) => vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0)), 1e-9);
    this.largest = { q: largest([q]), k: largest(this.rows.map(({ k }) => k)), product: largest(this.rows.map(({ product }) => product)) };
  },

  measure() {
    const width = Math.max(560, this.box.clientWidth);
    const name = Math.min(120, width * 0.15);
    const score = 64;
    const weight = Math.min(150, width * 0.16);
    const strip = (width - name - score - weight - 48) / 3;
    const query = name + 8;
    return { width, name, strip, columns: { query, key: query + strip + 12, product: query + 2 * strip + 24 }, score: query + 3 * strip + 28 + score, weight: query + 3 * strip + 40 + score, weightWidth: weight };
  },

  paint() {
    const frame = (this.frame = this.measure());
    const head = 28;
    const context = fitted(this.canvas, frame.width, head + VECTOR_ROW * this.rows.length);
    context.font = `12px ${FONT}`;
    context.textBaseline = "middle";
    const title = (text, x, align = "left") => {
      context.textAlign = align;
      context.fillStyle = colour("muted");
      context.fillText(text, x, 12);
    };
    title("query q", frame.columns.query);
    title("key k", frame.columns.key);
    title("q × k", frame.columns.product);
    title("q · k / √d", frame.score, "right");
    title("softmax", frame.weight);
    const most = Math.max(...this.rows.map(({ weight }) => weight), 1e-9);
    this.rows.forEach((row, at) => this.paintRow(context, frame, row, head + at * VECTOR_ROW, most));
  },

  paintRow(context, frame, row, y, most) {
    const middle = y + VECTOR_ROW / 2;
    context.textAlign = "right";
    context.fillStyle = colour("ink");
    context.font = `13px ${FONT}`;
    context.fillText(shortened(context, visible(this.text.tokens[row.key]), frame.name - 4), frame.name, middle);
    this.strip(context, this.q, this.largest.q, frame.columns.query, y, frame.strip);
    this.strip(context, row.k, this.largest.k, frame.columns.key, y, frame.strip);
    this.strip(context, row.product, this.largest.product, frame.columns.product, y, frame.strip);
    context.textAlign = "right";
    context.fillStyle = colour("muted");
    context.font = `12px ${FONT}`;
    context.fillText(row.score.toFixed(2), frame.score, middle);
    context.fillStyle = headColour(soleHead());
    const bar = (frame.weightWidth - 44) * (row.weight / most);
    context.fillRect(frame.weight, y + 7, Math.max(bar, 0.5), VECTOR_ROW - 14);
    context.textAlign = "left";
    context.fillStyle = colour("ink");
    context.fillText(share(row.weight), frame.weight + Math.max(bar, 0.5) + 6, middle);
  },

  strip(context, vector, largest, x, y, width) {
    const cell = width / vector.length;
    vector.forEach((number, at) => {
      context.fillStyle = poleColour(number / largest);
      context.fillRect(x + at * cell, y + 3, cell + 0.4, VECTOR_ROW - 6);
    });
  },

  read() {
    const query = this.query();
    this.line.replaceChildren(
      make("bdi", { class: "name", text: visible(this.text.tokens[query]) }), ` looks, in layer ${state.layer}, head ${soleHead()}. `,
      make("span", { class: "pole plus", text: "positive" }), " ", make("span", { class: "pole minus", text: "negative" }),
      ` · d = ${about.headSize}; the softmax is over all tokens of the text.`);
  },

  readCell(event) {
    const row = this.rows[Math.floor((event.offsetY - 28) / VECTOR_ROW)];
    const inside = Object.entries(this.frame.columns).find(([, x]) => event.offsetX >= x && event.offsetX < x + this.frame.strip);
    if (!row || !inside) return this.read();
    const [name, x] = inside;
    const at = Math.floor(((event.offsetX - x) / this.frame.strip) * about.headSize);
    const number = { query: this.q, key: row.k, product: row.product }[name][at];
    const from = name === "query" ? this.query() : row.key;
    return this.line.replaceChildren(make("bdi", { class: "name", text: visible(this.text.tokens[from]) }),
      ` ${name}[${at}] = `, make("strong", { class: "number", text: number.toFixed(4) }));
  },
};
views.push(neuronView);
