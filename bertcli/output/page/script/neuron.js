// The neuron view: one query, each key, their elementwise product, its scaled sum, and the softmax of these scores.

const LINE = 26; // height in CSS pixels
const NARROW = 560; // CSS pixels; in a narrower box each row takes two lines

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
      ? empty("No query and key vectors", "The transformers engine does not provide them. Write the page with --engine numpy or --engine torch to use this view.")
      : empty("No query and key vectors", `They would make the page too large at ${text.size} tokens, so they are left out. Use a shorter text to see them.`);
  },

  // Return the token whose query is shown: the one under the pointer, else the selected one, else the first word.
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

  // Return the positions of a row's parts in CSS pixels. name, score: right edges. weight: left edge of the softmax.
  measure() {
    const width = roomIn(this.box);
    return width < NARROW ? this.measureTwoLines(width) : this.measureOneLine(width);
  },

  measureOneLine(width) {
    const name = Math.min(120, width * 0.15);
    const score = 64;
    const weight = Math.min(150, width * 0.16);
    const strip = (width - name - score - weight - 48) / 3;
    const query = name + 8;
    const end = query + 3 * strip + 28 + score;
    return {
      width, name, strip, columns: { query, key: query + strip + 12, product: query + 2 * strip + 24 },
      score: end, weight: end + 12, weightWidth: weight, align: "right", head: 28, row: 26, strips: 0,
    };
  },

  // Place the three vectors below the token, its score and its softmax.
  measureTwoLines(width) {
    const strip = (width - 16) / 3;
    const score = width * 0.56;
    return {
      width, name: width * 0.36, strip, columns: { query: 0, key: strip + 8, product: 2 * strip + 16 },
      score, weight: score + 12, weightWidth: width - score - 12, align: "left", head: 50, row: 54, strips: 22,
    };
  },

  paint() {
    const frame = (this.frame = this.measure());
    const context = fitted(this.canvas, frame.width, frame.head + frame.row * this.rows.length);
    context.font = `12px ${FONT}`;
    context.textBaseline = "middle";
    const title = (text, x, align = "left", y = 12) => {
      context.textAlign = align;
      context.fillStyle = colour("muted");
      context.fillText(text, x, y);
    };
    title("query q", frame.columns.query, "left", 12 + frame.strips);
    title("key k", frame.columns.key, "left", 12 + frame.strips);
    title("q × k", frame.columns.product, "left", 12 + frame.strips);
    title("q · k / √d", frame.score, "right");
    title("softmax", frame.weight);
    this.rows.forEach((row, at) => this.paintRow(context, frame, row, frame.head + at * frame.row));
  },

  paintRow(context, frame, row, y) {
    const middle = y + LINE / 2;
    const strips = y + frame.strips;
    context.textAlign = frame.align;
    context.fillStyle = colour("ink");
    context.font = `13px ${FONT}`;
    context.fillText(shortened(context, visible(this.text.tokens[row.key]), frame.name - 4), frame.align === "right" ? frame.name : 0, middle);
    this.strip(context, this.q, this.largest.q, frame.columns.query, strips, frame.strip);
    this.strip(context, row.k, this.largest.k, frame.columns.key, strips, frame.strip);
    this.strip(context, row.product, this.largest.product, frame.columns.product, strips, frame.strip);
    context.textAlign = "right";
    context.fillStyle = colour("muted");
    context.font = `12px ${FONT}`;
    context.fillText(row.score.toFixed(2), frame.score, middle);
    context.fillStyle = headColour(soleHead());
    const bar = (frame.weightWidth - 44) * row.weight;
    context.fillRect(frame.weight, y + 7, Math.max(bar, 0.5), LINE - 14);
    context.textAlign = "left";
    context.fillStyle = colour("ink");
    context.fillText(share(row.weight), frame.weight + Math.max(bar, 0.5) + 6, middle);
  },

  strip(context, vector, largest, x, y, width) {
    const cell = width / vector.length;
    vector.forEach((number, at) => {
      context.fillStyle = poleColour(number / largest);
      context.fillRect(x + at * cell, y + 3, cell + 0.4, LINE - 6);
    });
  },

  redraw() {
    if (this.vectors && !this.body.hidden && this.query() !== null) this.paint();
  },

  read() {
    const query = this.query();
    this.line.replaceChildren(
      spelt(this.text.tokens[query], { class: "name" }), ` is the query in layer ${state.layer}, head ${soleHead()}. `,
      make("span", { class: "pole plus", text: "positive" }), " ", make("span", { class: "pole minus", text: "negative" }),
      ` · d = ${about.headSize}; the softmax is over all tokens of the text.`);
  },

  readCell(event) {
    const row = this.rows[Math.floor((event.offsetY - this.frame.head) / this.frame.row)];
    const inside = Object.entries(this.frame.columns).find(([, x]) => event.offsetX >= x && event.offsetX < x + this.frame.strip);
    if (!row || !inside) return this.read();
    const [name, x] = inside;
    const at = Math.floor(((event.offsetX - x) / this.frame.strip) * about.headSize);
    const number = { query: this.q, key: row.k, product: row.product }[name][at];
    const from = name === "query" ? this.query() : row.key;
    return this.line.replaceChildren(spelt(this.text.tokens[from], { class: "name" }),
      ` ${name}[${at}] = `, make("strong", { class: "number", text: number.toFixed(4) }));
  },
};
views.push(neuronView);
