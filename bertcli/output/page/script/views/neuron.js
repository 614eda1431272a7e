// @ts-check
// The neuron view: the query of one token, the key of each token, their elementwise product, its scaled sum, and the
// softmax of these scores. Queries are listed in the order of the text, keys by their weight.

import { fitted, FONT, isPrinting, pixelCanvas, roomIn, shortened, silentCanvas } from "../canvas.js";
import { about, layerName, layerOf, vectorsOf } from "../data.js";
import { announce, empty, fill, make, soon } from "../dom.js";
import { copyOf } from "../drawings.js";
import { share } from "../numbers.js";
import { Pointing } from "../pointing.js";
import { currentText, focus, isSpecialHidden, keeping, shownPositions, soleHead } from "../state.js";
import { change, now } from "../store.js";
import { colour, headColour, polePixels } from "../theme.js";
import { spelt, TokenList, visible } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const LINE = 26; // height of a row in CSS pixels; the style sheet has the same for the list of queries
const TWO_LINES = 54; // height of a row where the vectors do not fit beside the token
const NARROW = 560; // CSS pixels; in a narrower box each row takes two lines
const FLOW_WIDTH = 90; // of the lines between queries and keys, in CSS pixels
const QUERY_STRIP = 72; // width of a query in the list, in CSS pixels

export class NeuronView extends View {
  constructor() {
    super("neuron", "Neuron", ["layer", "head", "filter", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "special"], draw: (state) => this.arrange(state) },
      { needs: ["pointed", "token"], draw: (state) => this.point(state) },
    ]);
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    this.queries = make("div", { class: "neuron-queries", tabindex: -1 });
    this.list = new TokenList(this.queries, {
      name: "Queries", classes: "neuron-list queries", isColumn: true,
      point: (query) => change({ pointed: query === null ? null : { query, key: null } }),
      keep: (query) => change(keeping(now(), { query, key: null })),
    });
    this.queryCanvas = silentCanvas({ class: "neuron-strips" });
    this.queries.prepend(this.queryCanvas);
    this.flow = silentCanvas({ class: "neuron-flow" });
    this.headings = make("div", { class: "neuron-headings", "aria-hidden": "true" });
    this.queryRow = silentCanvas();
    this.canvas = make("canvas", { role: "img", "aria-label": "Keys by weight: key, product with the query, score and softmax" });
    this.keys = make("div", { class: "neuron-keys", tabindex: 0, role: "region", "aria-label": "Keys, by weight" }, this.headings, this.canvas);
    this.body = make("div", { class: "neuron" }, this.line, make("div", { class: "neuron-columns" }, this.queries, this.flow, this.keys));
    this.missing = make("div");
    section.append(this.body, this.missing);
    this.pointing = new Pointing(this.canvas, { itemAt: (event) => this.cellAt(event), point: (cell) => this.read(cell), keep: () => {} });
    for (const scrolled of [this.queries, this.keys]) {
      scrolled.addEventListener("scroll", () => soon(() => this.paintFlow()), { passive: true });
    }
  }

  async load(/** @type {State} */ state) {
    const text = currentText(state);
    const [layer, vectors] = await Promise.all([layerOf(text, state.layer), vectorsOf(text, state.layer)]);
    this.layer = layer;
    this.vectors = vectors;
    this.body.hidden = this.vectors === null;
    fill(this.missing, this.vectors ? null : this.reason(text));
  }

  reason(text) {
    return about.run.engine === "transformers"
      ? empty("No query and key vectors", "The transformers engine does not provide them. Write the page with --engine numpy or --engine torch to use this view.")
      : empty("No query and key vectors", `They would make the page too large at ${text.size} tokens, so they are left out. Use a shorter text to see them.`);
  }

  /** Take the queries of a head. */
  arrange(/** @type {State} */ state) {
    if (!this.vectors) return;
    this.text = currentText(state);
    this.layerNumber = state.layer;
    this.head = soleHead(state);
    this.shown = shownPositions(state);
    this.matrix = shownMatrix(this.text, this.layer, this.head, isSpecialHidden(state));
    this.list.show(this.text, this.shown.queries);
    const queries = this.shown.queries.map((position) => this.vectors.query(this.head, position));
    const context = fitted(this.queryCanvas, QUERY_STRIP, LINE * Math.max(1, queries.length));
    context.imageSmoothingEnabled = false;
    const picture = pictureOf(queries, largestOf(queries));
    queries.forEach((_, place) => context.drawImage(picture, 0, place, about.headSize, 1, 0, LINE * place + 3, QUERY_STRIP, LINE - 6));
  }

  /** Show the query in focus. */
  point(/** @type {State} */ state) {
    if (!this.vectors) return;
    const query = this.queryOf(state);
    if (query !== this.query) this.keys.scrollTop = 0;
    this.query = query;
    this.list.mark(query, state.token);
    if (query === null) return;
    this.compute();
    this.paint();
    this.paintFlow();
    this.read(null);
  }

  table() {
    if (!this.vectors || this.query === null) return null;
    const { tokens } = this.text;
    const q = this.vectors.query(this.head, this.query);
    const numbers = (/** @type {string} */ name) => Array.from({ length: about.headSize }, (_, at) => `${name}_${at}`);
    return {
      columns: ["query_position", "query", "key_position", "key", "score", "weight", ...numbers("q"), ...numbers("k")],
      rows: this.rows.map(({ key, k, score, weight }) => [this.query, tokens[this.query], key, tokens[key], score, weight, ...q, ...k]),
    };
  }

  drawing(/** @type {State} */ state) {
    if (!this.vectors || this.query === null) return null;
    return copyOf(`Layer ${layerName(state.layer)}, head ${this.head}: query of ${visible(this.text.tokens[this.query])}`, this.canvas);
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`, `head-${this.head}`];
  }

  /** Return the token whose query is shown: the one in focus, else the first word. */
  queryOf(/** @type {State} */ state) {
    const query = focus(state)?.query;
    if (this.shown.queries.includes(query)) return query;
    return this.shown.queries.includes(1) ? 1 : (this.shown.queries[0] ?? null);
  }

  compute() {
    const q = this.vectors.query(this.head, this.query);
    const weights = this.matrix.row(this.query);
    this.rows = this.shown.keys.map((key) => {
      const k = this.vectors.key(this.head, key);
      const product = k.map((number, at) => number * q[at]);
      const score = product.reduce((sum, number) => sum + number, 0) / Math.sqrt(q.length);
      return { key, k, product, score, weight: weights[key] };
    }).sort((a, b) => b.weight - a.weight || a.key - b.key);
    const [keys, products] = [this.rows.map(({ k }) => k), this.rows.map(({ product }) => product)];
    this.queryPicture = pictureOf([q], largestOf([q]));
    this.pictures = { key: pictureOf(keys, largestOf(keys)), product: pictureOf(products, largestOf(products)) };
  }

  /** Return the places of a row's parts in CSS pixels. name, score: right edges. weight: left edge of the softmax. */
  measure() {
    const width = roomIn(this.keys);
    return width < NARROW ? this.measureTwoLines(width) : this.measureOneLine(width);
  }

  measureOneLine(width) {
    const name = Math.min(130, width * 0.18);
    const score = 72;
    const weight = Math.min(190, width * 0.24);
    const strip = (width - name - score - weight - 36) / 2;
    const end = name + 8 + 2 * strip + 16 + score;
    return {
      width, name, strip, columns: { key: name + 8, product: name + strip + 20 },
      score: end, weight: end + 12, weightWidth: weight, align: "right", row: LINE, strips: 0,
    };
  }

  // Place the vectors below the token, its score and its softmax.
  measureTwoLines(width) {
    const strip = (width - 8) / 2;
    const score = width * 0.56;
    return {
      width, name: width * 0.36, strip, columns: { key: 0, product: strip + 8 },
      score, weight: score + 12, weightWidth: width - score - 12, align: "left", row: TWO_LINES, strips: 22,
    };
  }

  paint() {
    const frame = (this.frame = this.measure());
    this.paintHeadings(frame);
    const context = fitted(this.canvas, frame.width, Math.max(1, frame.row * this.rows.length));
    context.textBaseline = "middle";
    this.most = Math.max(...this.rows.map(({ weight }) => weight), 1e-9);
    this.rows.forEach((row, place) => this.paintRow(context, frame, row, place));
  }

  /** Show what the columns are, and the query above the keys that it is multiplied with. */
  paintHeadings({ columns, score, weight, width, strip, strips }) {
    const heading = (text, left, isRight = false) => {
      const element = make("span", { text });
      element.style[isRight ? "right" : "left"] = `${isRight ? width - left : left}px`;
      return element;
    };
    const isNarrow = strips > 0;
    const query = isNarrow ? heading("query q", columns.product) : heading("query q", columns.key - 8, true);
    query.classList.add("above");
    const context = fitted(this.queryRow, strip, LINE);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.queryPicture, 0, 3, strip, LINE - 6);
    this.queryRow.style.left = `${columns.key}px`;
    this.headings.replaceChildren(query, this.queryRow, heading("key k", columns.key), heading("q × k", columns.product),
      ...(isNarrow ? [] : [heading("q · k / √d", score, true), heading("softmax", weight)]));
  }

  paintRow(context, frame, row, place) {
    const y = frame.row * place;
    const middle = y + LINE / 2;
    context.textAlign = frame.align;
    context.fillStyle = colour("ink");
    context.font = `13px ${FONT}`;
    context.fillText(shortened(context, visible(this.text.tokens[row.key]), frame.name - 4), frame.align === "right" ? frame.name : 0, middle);
    context.imageSmoothingEnabled = false;
    for (const [name, picture] of Object.entries(this.pictures)) {
      context.drawImage(picture, 0, place, about.headSize, 1, frame.columns[name], y + frame.strips + 3, frame.strip, LINE - 6);
    }
    context.textAlign = "right";
    context.fillStyle = colour("muted");
    context.font = `12px ${FONT}`;
    context.fillText(row.score.toFixed(2), frame.score, middle);
    context.fillStyle = headColour(this.head);
    const bar = (frame.weightWidth - 52) * (row.weight / this.most);
    context.fillRect(frame.weight, y + 7, Math.max(bar, 0.5), LINE - 14);
    context.textAlign = "left";
    context.fillStyle = colour("ink");
    context.fillText(share(row.weight), frame.weight + Math.max(bar, 0.5) + 6, middle);
  }

  /** Draw a line from the query to each key, as strong as its weight. Only lines between visible rows are drawn. */
  paintFlow() {
    if (!this.vectors || this.query === null || !this.rows || isPrinting()) return;
    const box = this.flow.getBoundingClientRect();
    if (!box.width) return;
    const height = this.queries.clientHeight;
    const context = fitted(this.flow, FLOW_WIDTH, height);
    const headings = this.headings.offsetHeight;
    const start = headings + LINE * (this.shown.queries.indexOf(this.query) + 0.5) - this.queries.scrollTop;
    context.strokeStyle = headColour(this.head);
    this.rows.forEach(({ weight }, place) => {
      const end = headings + this.frame.row * (place + 0.5) - this.keys.scrollTop;
      if (end < headings || end > height) return;
      const strength = weight / this.most;
      context.globalAlpha = 0.08 + 0.92 * strength;
      context.lineWidth = 0.75 + 2.5 * strength;
      context.beginPath();
      context.moveTo(0, start);
      context.bezierCurveTo(FLOW_WIDTH * 0.5, start, FLOW_WIDTH * 0.5, end, FLOW_WIDTH, end);
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  /** Return the number at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame || event.target !== this.canvas) return null;
    const row = this.rows[Math.floor(event.offsetY / this.frame.row)];
    const inside = Object.entries(this.frame.columns).find(([, x]) => event.offsetX >= x && event.offsetX < x + this.frame.strip);
    if (!row || !inside) return null;
    const [name, x] = inside;
    return { name, key: row.key, at: Math.floor(((event.offsetX - x) / this.frame.strip) * about.headSize) };
  }

  read(cell) {
    if (!this.vectors || this.query === null) return;
    if (cell === null) {
      fill(this.line,
        spelt(this.text.tokens[this.query], { class: "name" }), ` is the query in layer ${layerName(this.layerNumber)}, head ${this.head}. Keys are sorted by weight. `,
        make("span", { class: "pole plus", text: "positive" }), " ", make("span", { class: "pole minus", text: "negative" }),
        ` · d = ${about.headSize}; bars are scaled to the largest weight.`);
      return;
    }
    const { name, key, at } = cell;
    const row = this.rows.find((one) => one.key === key);
    const number = (name === "key" ? row.k : row.product)[at];
    const from = visible(this.text.tokens[key]);
    fill(this.line, spelt(from, { class: "name" }), ` ${name}[${at}] = `, make("strong", { class: "number", text: number.toFixed(4) }));
    announce(`${from} ${name} ${at}: ${number.toFixed(4)}`);
  }
}

const largestOf = (vectors) => Math.max(...vectors.map((vector) => vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0)), 1e-9);

/** Return the vectors as one picture: a row of pixels for each. */
function pictureOf(vectors, largest) {
  const colours = polePixels();
  const pixels = new Uint32Array(vectors.length * about.headSize);
  vectors.forEach((vector, row) => vector.forEach((number, at) => {
    pixels[row * about.headSize + at] = colours[255 + Math.round((255 * number) / largest)];
  }));
  return pixelCanvas(about.headSize, vectors.length, pixels);
}
