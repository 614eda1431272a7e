// @ts-check
// The neuron view: the query of one token, the key of each token, their elementwise product, its scaled sum, and the
// softmax of these scores. Queries are listed in the order of the text, keys by their weight.

import { fitted, isPrinting, roomIn, silentCanvas } from "../canvas.js";
import { about, layerName, layerOf, vectorsOf } from "../data.js";
import { announce, empty, fill, make, soon } from "../dom.js";
import { Pointing } from "../pointing.js";
import { currentText, isSpecialHidden, keeping, queryOf, shownPositions, soleHead } from "../state.js";
import { change, now } from "../store.js";
import { weightOrNull } from "../tables.js";
import { headColour } from "../theme.js";
import { spelt, TokenList, visible } from "../tokens.js";
import { drawingOfKeys, HEADINGS, headingsOf, layOutKeys, LINE, paintKeys, pictureOf } from "../vectors.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const FLOW_WIDTH = 90; // of the lines between queries and keys, in CSS pixels
const QUERY_STRIP = 72; // width of a query in the list, in CSS pixels
const PICTURE_WIDTH = 900; // of a saved picture, in CSS pixels
const BEYOND = 2; // rows to draw above and below the visible ones

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
    this.canvas = make("canvas", {
      role: "img",
      "aria-label": "Keys by weight: key, product with the query, score and softmax",
    });
    this.room = make("div", { class: "neuron-room" }); // as high as all rows, of which only the visible ones are drawn
    this.keys = make(
      "div",
      { class: "neuron-keys", tabindex: 0, role: "region", "aria-label": "Keys, by weight" },
      this.headings,
      this.room,
      this.canvas,
    );
    this.body = make(
      "div",
      { class: "neuron" },
      this.line,
      make("div", { class: "neuron-columns" }, this.queries, this.flow, this.keys),
    );
    this.missing = make("div");
    section.append(this.body, this.missing);
    this.pointing = new Pointing(this.canvas, {
      itemAt: (event) => this.cellAt(event),
      point: (cell) => this.read(cell),
      keep: () => {},
    });
    for (const scrolled of [this.queries, this.keys, window]) {
      scrolled.addEventListener("scroll", () => now().view === "neuron" && soon(() => this.scrolled()), {
        passive: true,
      });
    }
  }

  async load(/** @type {State} */ state) {
    const text = currentText(state);
    const [layer, vectors] = await Promise.all([layerOf(text, state.layer), vectorsOf(text, state.layer)]);
    if (this.drawn !== state) return;
    this.layer = layer;
    this.vectors = vectors;
    this.body.hidden = this.vectors === null;
    fill(this.missing, this.vectors ? null : this.reason(text));
  }

  reason(text) {
    const reason =
      about.run.engine === "transformers"
        ? "The transformers engine does not provide them. " +
          "Write the page with --engine numpy or --engine torch to use this view."
        : `They would make the page too large at ${text.size} tokens, so they are left out. ` +
          "Use a shorter text to see them.";
    return empty("No query and key vectors", reason);
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
    const picture = pictureOf(queries);
    queries.forEach((_, place) =>
      context.drawImage(picture, 0, place, about.headSize, 1, 0, LINE * place + 3, QUERY_STRIP, LINE - 6),
    );
  }

  /** Show the query in focus. */
  point(/** @type {State} */ state) {
    if (!this.vectors) return;
    const query = queryOf(state, this.shown.queries);
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
      rows: this.rows.map(({ key, k, score, weight }) => [
        this.query,
        tokens[this.query],
        key,
        tokens[key],
        score,
        weightOrNull(weight, this.content.precision),
        ...q,
        ...k,
      ]),
    };
  }

  drawing(/** @type {State} */ state) {
    if (!this.vectors || this.query === null) return null;
    const query = visible(this.text.tokens[this.query]);
    const title = `Layer ${layerName(state.layer)}, head ${this.head}: query of ${query}`;
    return drawingOfKeys(title, this.content, PICTURE_WIDTH);
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`, `head-${this.head}`];
  }

  compute() {
    const q = this.vectors.query(this.head, this.query);
    const weights = this.matrix.row(this.query);
    this.rows = this.shown.keys.map((key) => {
      const k = this.vectors.key(this.head, key);
      const product = k.map((number, at) => number * q[at]);
      const score = product.reduce((sum, number) => sum + number, 0) / Math.sqrt(q.length);
      return { key, k, product, score, weight: weights[key] };
    }).sort((a, b) => b.weight - a.weight || b.score - a.score || a.key - b.key); // many weights are stored alike
    this.content = {
      text: this.text,
      head: this.head,
      rows: this.rows,
      most: Math.max(...this.rows.map(({ weight }) => weight), 1e-9),
      precision: this.matrix.precision(this.query),
      query: pictureOf([q]),
      pictures: {
        key: pictureOf(this.rows.map(({ k }) => k)),
        product: pictureOf(this.rows.map(({ product }) => product)),
      },
    };
  }

  paint() {
    this.frame = layOutKeys(roomIn(this.keys));
    this.showHeadings();
    this.room.style.height = `${this.frame.row * this.rows.length}px`;
    this.paintRows();
  }

  /** Draw the rows that are visible. */
  paintRows() {
    const { frame, rows } = this;
    const [first, last] = isPrinting() ? [0, rows.length] : this.visibleRows();
    this.top = frame.row * first;
    const context = fitted(this.canvas, frame.width, Math.max(1, frame.row * (last - first)));
    this.canvas.style.top = `${HEADINGS + this.top}px`;
    context.translate(0, -this.top);
    paintKeys(context, frame, this.content, first, last);
  }

  /** @returns {[number, number]} The first visible row and the one after the last. */
  visibleRows() {
    const [room, box] = [this.room, this.keys].map((element) => element.getBoundingClientRect());
    const place = (/** @type {number} */ y) => Math.min(this.rows.length, Math.max(0, (y - room.top) / this.frame.row));
    const first = Math.floor(place(Math.max(box.top, 0)));
    const last = Math.ceil(place(Math.min(box.bottom, window.innerHeight)));
    return [Math.max(0, first - BEYOND), Math.min(this.rows.length, last + BEYOND)];
  }

  scrolled() {
    if (!this.vectors || !this.frame || isPrinting()) return;
    this.paintRows();
    this.paintFlow();
  }

  /** Show what the columns are, and the query above the keys that it is multiplied with. */
  showHeadings() {
    const { width, strip, columns } = this.frame;
    const context = fitted(this.queryRow, strip, LINE);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.content.query, 0, 3, strip, LINE - 6);
    this.queryRow.style.left = `${columns.key}px`;
    this.headings.replaceChildren(this.queryRow, ...headingsOf(this.frame).map(({ text, edge, isRight, isAbove }) => {
      const element = make("span", { text, class: isAbove ? "above" : null });
      element.style[isRight ? "right" : "left"] = `${isRight ? width - edge : edge}px`;
      return element;
    }));
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
      const strength = weight / this.content.most;
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
    const row = this.rows[Math.floor((this.top + event.offsetY) / this.frame.row)];
    const inside = Object.entries(this.frame.columns).find(
      ([, x]) => event.offsetX >= x && event.offsetX < x + this.frame.strip,
    );
    if (!row || !inside) return null;
    const [name, x] = inside;
    return { name, key: row.key, at: Math.floor(((event.offsetX - x) / this.frame.strip) * about.headSize) };
  }

  read(cell) {
    if (!this.vectors || this.query === null) return;
    if (cell === null) {
      fill(
        this.line,
        spelt(this.text.tokens[this.query], { class: "name" }),
        ` is the query in layer ${layerName(this.layerNumber)}, head ${this.head}. Keys are sorted by weight. `,
        make("span", { class: "pole plus", text: "positive" }),
        " ",
        make("span", { class: "pole minus", text: "negative" }),
        ` · d = ${about.headSize}; bars are scaled to the largest weight.`,
      );
      return;
    }
    const { name, key, at } = cell;
    const row = this.rows.find((one) => one.key === key);
    const number = (name === "key" ? row.k : row.product)[at];
    const from = visible(this.text.tokens[key]);
    fill(
      this.line,
      spelt(from, { class: "name" }),
      ` ${name}[${at}] = `,
      make("strong", { class: "number", text: number.toFixed(4) }),
    );
    announce(`${from} ${name} ${at}: ${number.toFixed(4)}`);
  }
}
