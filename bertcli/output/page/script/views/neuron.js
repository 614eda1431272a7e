// @ts-check
// The neuron view: one query, each key, their elementwise product, its scaled sum, and the softmax of these scores.

import { fitted, FONT, pixelCanvas, roomIn, shortened } from "../canvas.js";
import { about, layerOf, vectorsOf } from "../data.js";
import { announce, empty, fill, make } from "../dom.js";
import { share } from "../numbers.js";
import { Pointing } from "../pointing.js";
import { currentText, focus, isSpecialHidden, keeping, shownPositions, soleHead } from "../state.js";
import { change, now } from "../store.js";
import { colour, headColour, polePixels } from "../theme.js";
import { spelt, TokenList, visible } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const LINE = 26; // height in CSS pixels
const NARROW = 560; // CSS pixels; in a narrower box each row takes two lines

export class NeuronView extends View {
  constructor() {
    super("neuron", "Neuron", ["layer", "head", "filter", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "filter", "special", "pointed", "token"], draw: (state) => this.show(state) },
    ]);
  }

  build(section) {
    this.body = make("div", { class: "neuron" });
    section.append(this.body);
    this.list = new TokenList(this.body, {
      name: "Queries",
      point: (query) => change({ pointed: query === null ? null : { query, key: null } }),
      keep: (query) => change(keeping(now(), { query, key: null })),
    });
    this.line = make("p", { class: "pointed" });
    this.canvas = make("canvas", { role: "img", "aria-label": "Query, key, their product and the softmax" });
    this.box = make("div", { class: "vectors" }, this.canvas);
    this.body.append(this.line, this.box);
    this.missing = make("div");
    section.append(this.missing);
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell) => this.read(cell),
      keep: () => {},
    });
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

  show(/** @type {State} */ state) {
    if (!this.vectors) return;
    const { queries, keys } = shownPositions(state);
    this.state = state;
    this.text = currentText(state);
    this.queries = queries;
    this.keys = keys;
    this.head = soleHead(state);
    this.list.show(this.text, queries);
    this.query = this.queryOf(state);
    this.list.mark(this.query, state.token);
    if (this.query === null) return;
    this.compute();
    this.paint();
    this.read(null);
  }

  /** Return the token whose query is shown: the one in focus, else the first word. */
  queryOf(/** @type {State} */ state) {
    const query = focus(state)?.query;
    if (this.queries.includes(query)) return query;
    return this.queries.includes(1) ? 1 : (this.queries[0] ?? null);
  }

  compute() {
    const q = this.vectors.query(this.head, this.query);
    const weights = shownMatrix(this.text, this.layer, this.head, isSpecialHidden(this.state)).row(this.query);
    this.rows = this.keys.map((key) => {
      const k = this.vectors.key(this.head, key);
      const product = k.map((number, at) => number * q[at]);
      const score = product.reduce((sum, number) => sum + number, 0) / Math.sqrt(q.length);
      return { key, k, product, score, weight: weights[key] };
    });
    this.q = q;
    const largest = (vectors) => Math.max(...vectors.map((vector) => vector.reduce((most, number) => Math.max(most, Math.abs(number)), 0)), 1e-9);
    this.strips = {
      query: this.strip(this.rows.map(() => q), largest([q])),
      key: this.strip(this.rows.map(({ k }) => k), largest(this.rows.map(({ k }) => k))),
      product: this.strip(this.rows.map(({ product }) => product), largest(this.rows.map(({ product }) => product))),
    };
  }

  /** Return the vectors as one picture: a row of pixels for each. */
  strip(vectors, largest) {
    const colours = polePixels();
    const pixels = new Uint32Array(vectors.length * about.headSize);
    vectors.forEach((vector, row) => vector.forEach((number, at) => {
      pixels[row * about.headSize + at] = colours[255 + Math.round((255 * number) / largest)];
    }));
    return pixelCanvas(about.headSize, vectors.length, pixels);
  }

  /** Return the places of a row's parts in CSS pixels. name, score: right edges. weight: left edge of the softmax. */
  measure() {
    const width = roomIn(this.box);
    return width < NARROW ? this.measureTwoLines(width) : this.measureOneLine(width);
  }

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
  }

  // Place the three vectors below the token, its score and its softmax.
  measureTwoLines(width) {
    const strip = (width - 16) / 3;
    const score = width * 0.56;
    return {
      width, name: width * 0.36, strip, columns: { query: 0, key: strip + 8, product: 2 * strip + 16 },
      score, weight: score + 12, weightWidth: width - score - 12, align: "left", head: 50, row: 54, strips: 22,
    };
  }

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
    this.rows.forEach((row, place) => this.paintRow(context, frame, row, place));
  }

  paintRow(context, frame, row, place) {
    const y = frame.head + place * frame.row;
    const middle = y + LINE / 2;
    const strips = y + frame.strips;
    context.textAlign = frame.align;
    context.fillStyle = colour("ink");
    context.font = `13px ${FONT}`;
    context.fillText(shortened(context, visible(this.text.tokens[row.key]), frame.name - 4), frame.align === "right" ? frame.name : 0, middle);
    context.imageSmoothingEnabled = false;
    for (const [name, picture] of Object.entries(this.strips)) {
      context.drawImage(picture, 0, place, about.headSize, 1, frame.columns[name], strips + 3, frame.strip, LINE - 6);
    }
    context.textAlign = "right";
    context.fillStyle = colour("muted");
    context.font = `12px ${FONT}`;
    context.fillText(row.score.toFixed(2), frame.score, middle);
    context.fillStyle = headColour(this.head);
    const bar = (frame.weightWidth - 44) * row.weight;
    context.fillRect(frame.weight, y + 7, Math.max(bar, 0.5), LINE - 14);
    context.textAlign = "left";
    context.fillStyle = colour("ink");
    context.fillText(share(row.weight), frame.weight + Math.max(bar, 0.5) + 6, middle);
  }

  /** Return the number at a pointer event, or null. */
  cellAt(event) {
    if (!this.frame) return null;
    const row = this.rows[Math.floor((event.offsetY - this.frame.head) / this.frame.row)];
    const inside = Object.entries(this.frame.columns).find(([, x]) => event.offsetX >= x && event.offsetX < x + this.frame.strip);
    if (!row || !inside) return null;
    const [name, x] = inside;
    return { name, key: row.key, at: Math.floor(((event.offsetX - x) / this.frame.strip) * about.headSize) };
  }

  read(cell) {
    if (!this.vectors || this.query === null) return;
    if (cell === null) {
      this.line.replaceChildren(
        spelt(this.text.tokens[this.query], { class: "name" }), ` is the query in layer ${this.state.layer}, head ${this.head}. `,
        make("span", { class: "pole plus", text: "positive" }), " ", make("span", { class: "pole minus", text: "negative" }),
        ` · d = ${about.headSize}; the softmax is over all tokens of the text.`);
      return;
    }
    const { name, key, at } = cell;
    const row = this.rows.find((one) => one.key === key);
    const number = { query: this.q, key: row.k, product: row.product }[name][at];
    const from = visible(this.text.tokens[name === "query" ? this.query : key]);
    this.line.replaceChildren(spelt(from, { class: "name" }), ` ${name}[${at}] = `, make("strong", { class: "number", text: number.toFixed(4) }));
    announce(`${from} ${name} ${at}: ${number.toFixed(4)}`);
  }
}
