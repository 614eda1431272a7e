// @ts-check
// Lines from queries on the left to keys on the right. Only the part on the screen is drawn.

import { fitted, FONT, isPrinting, PAPER_WIDTH, shortened, silentCanvas } from "./canvas.js";
import { make } from "./dom.js";
import { share } from "./numbers.js";
import { focus, keeping } from "./state.js";
import { change, now } from "./store.js";
import { colour, headColour } from "./theme.js";
import { TokenList, visible } from "./tokens.js";

const MOST_LINES = 2000;
const MOST_OF_ONE = 300; // for a single token; its cells show all of its weights
const ROW = 24;
const ROWS_OF_PIECE = 8; // rows of a piece on paper
const STRENGTHS = 20; // levels of opacity; lines of the same level and colour are drawn as one path

/** @typedef {{head: number, query: number, key: number, weight: number}} Line */

export class EdgeDiagram {
  constructor(parent) {
    this.canvas = silentCanvas();
    this.paper = make("div", { class: "paper" });
    this.nothing = make("p", { class: "nothing", hidden: true });
    this.root = make("div", { class: "diagram" }, this.canvas);
    this.sides = {
      query: this.sideOf("query", "Queries", "side queries"),
      key: this.sideOf("key", "Keys", "side keys"),
    };
    this.root.append(this.paper, this.nothing);
    parent.append(this.root);
  }

  sideOf(side, name, classes) {
    const placeOf = (position) => ({ query: null, key: null, [side]: position });
    return new TokenList(this.root, {
      name, classes, isColumn: true,
      point: (position) => change({ pointed: position === null ? null : placeOf(position) }),
      keep: (position) => change(keeping(now(), placeOf(position))),
    });
  }

  /**
   * Take what is to be drawn.
   *
   * @param {import("./data.js").Text} text
   * @param {{queries: number[], keys: number[]}} rows Positions in the text.
   * @param {number[]} heads
   * @param {Pick<import("./data.js").Matrix, "size" | "row" | "at">[]} matrices One for each head.
   * @param {number} least
   */
  show(text, rows, heads, matrices, least) {
    this.sides.query.show(text, rows.queries);
    this.sides.key.show(text, rows.keys);
    this.text = text;
    this.rows = rows;
    this.heads = heads;
    this.matrices = matrices;
    this.least = Math.max(least, 1e-6);
    this.root.style.height = `${ROW * Math.max(rows.queries.length, rows.keys.length)}px`;
    this.places = { query: placesOf(rows.queries), key: placesOf(rows.keys) };
    this.everything = this.strongestLines();
  }

  // Return the strongest lines with at least the minimum weight, at most MOST_LINES. First count lines by weight to
  // find a cut, then collect the lines above it.
  strongestLines() {
    const counts = new Uint32Array(1025);
    const degree = (weight) => (Math.sqrt(weight) * 1024) | 0;
    this.each((head, query, key, weight) => (counts[degree(weight)] += 1));
    this.total = counts.reduce((sum, count) => sum + count, 0);
    let cut = 1024;
    for (let sum = counts[cut]; cut > 0 && sum + counts[cut - 1] <= MOST_LINES; ) sum += counts[--cut];
    const lines = [];
    this.each((head, query, key, weight) => {
      if (lines.length < MOST_LINES && degree(weight) >= cut) lines.push({ head, query, key, weight });
    });
    if (!lines.length && this.total) {
      this.each((head, query, key, weight) => {
        if (lines.length < MOST_LINES && degree(weight) >= cut - 1) lines.push({ head, query, key, weight });
      });
    }
    return lines;
  }

  each(take) {
    const { queries, keys } = this.rows;
    this.matrices.forEach((matrix, at) => {
      const head = this.heads[at];
      for (const query of queries) {
        const weights = matrix.row(query);
        for (const key of keys) if (weights[key] >= this.least) take(head, query, key, weights[key]);
      }
    });
  }

  /** Return the lines of one token in all selected heads. */
  linesOf(side, position) {
    const lines = [];
    const others = side === "query" ? this.rows.keys : this.rows.queries;
    this.matrices.forEach((matrix, at) => {
      for (const other of others) {
        const [query, key] = side === "query" ? [position, other] : [other, position];
        const weight = matrix.at(query, key);
        if (weight >= this.least) lines.push({ head: this.heads[at], query, key, weight });
      }
    });
    return lines;
  }

  /** Draw the lines of the token in focus, or all lines. */
  draw(state) {
    const place = focus(state);
    this.side = place === null ? null : place.query !== null ? "query" : "key";
    this.chosen = place?.[this.side] ?? null;
    for (const [side, list] of Object.entries(this.sides)) {
      list.mark(side === this.side ? this.chosen : null, side === "query" ? state.token : state.key);
    }
    this.root.classList.toggle("focused", this.side !== null);
    const lines = this.side !== null ? this.linesOf(this.side, this.chosen) : this.everything;
    this.lines = lines;
    this.nothing.hidden = lines.length > 0;
    if (!lines.length) this.nothing.textContent = nothingReaches(this.largest(), state.least);
    if (isPrinting()) this.paintPaper(lines);
    else this.paint(lines);
  }

  /** Return the largest weight of all tokens, or of the chosen one. */
  largest() {
    const of = (side) => (this.side === side ? [this.chosen] : this.rows[side === "query" ? "queries" : "keys"]);
    let most = 0;
    for (const matrix of this.matrices) for (const query of of("query")) for (const key of of("key")) most = Math.max(most, matrix.at(query, key));
    return most;
  }

  paint(lines) {
    const box = this.root.getBoundingClientRect();
    const height = Math.min(box.height, window.innerHeight);
    const top = Math.max(0, Math.min(-box.top, box.height - height));
    this.canvas.style.transform = `translateY(${top}px)`;
    this.paper.replaceChildren();
    this.paintPart(fitted(this.canvas, box.width, height), { ...this.columns(box.width), top, height }, lines);
  }

  // Draw the whole diagram as pieces of a few rows, with their tokens. A page break never cuts a piece.
  paintPaper(lines) {
    const { queries, keys } = this.rows;
    const frame = this.columns(PAPER_WIDTH);
    const pieces = [];
    for (let row = 0; row < Math.max(queries.length, keys.length); row += ROWS_OF_PIECE) {
      const height = ROW * Math.min(ROWS_OF_PIECE, Math.max(queries.length, keys.length) - row);
      const canvas = make("canvas");
      const context = fitted(canvas, PAPER_WIDTH, height);
      this.paintPart(context, { ...frame, top: ROW * row, height }, lines);
      this.paintTokens(context, queries.slice(row, row + ROWS_OF_PIECE), "right", frame.left - 10);
      this.paintTokens(context, keys.slice(row, row + ROWS_OF_PIECE), "left", frame.right + 10);
      pieces.push(canvas);
    }
    this.paper.replaceChildren(...pieces);
  }

  paintTokens(context, positions, align, x) {
    context.textAlign = align;
    context.textBaseline = "middle";
    positions.forEach((position, at) => {
      const isChosen = (align === "right") === (this.side === "query") && position === this.chosen;
      context.font = `${isChosen ? "600 " : ""}13px ${FONT}`;
      context.fillStyle = colour(this.text.sentences[position] === 1 ? "accent" : "ink");
      const room = align === "right" ? x : PAPER_WIDTH - x;
      context.fillText(shortened(context, visible(this.text.tokens[position]), room), x, ROW * (at + 0.5));
    });
  }

  paintPart(context, frame, lines) {
    const most = lines.reduce((largest, { weight }) => Math.max(largest, weight), 1e-9);
    this.paintLines(context, frame, lines, most);
    if (this.side !== null) this.paintCells(context, frame, lines, most);
  }

  // Return where lines begin and end, and the width of the cells at their ends, in CSS pixels.
  columns(width) {
    const label = Math.round(width * (width < 520 ? 0.3 : 0.26));
    const cell = Math.max(2, Math.min(7, Math.floor(84 / this.heads.length), Math.floor((width * 0.12) / this.heads.length)));
    return { left: label + 6, right: width - label - 6, cell };
  }

  paintLines(context, frame, lines, most) {
    const isOne = this.side !== null;
    const middle = (place) => ROW * (place + 0.5) - frame.top;
    const strip = isOne ? frame.cell * this.heads.length + 4 : 0;
    const isQuery = this.side !== "key";
    const from = frame.left + (isOne && !isQuery ? strip : 0);
    const to = frame.right - (isOne && isQuery ? strip : 0);
    const bend = (to - from) * 0.42;
    // Lines of several heads to one token end slightly apart, so that none hides another.
    const spread = isOne ? Math.min(2, 14 / this.heads.length) : 0;
    const order = new Map(this.heads.map((head, at) => [head, spread * (at - (this.heads.length - 1) / 2)]));
    const paths = new Map();
    const drawn = lines.length > MOST_OF_ONE && isOne ? lines.toSorted((a, b) => b.weight - a.weight).slice(0, MOST_OF_ONE) : lines;
    for (const { head, query, key, weight } of drawn) {
      const start = middle(this.places.query.get(query)) + (isQuery ? 0 : order.get(head));
      const end = middle(this.places.key.get(key)) + (isQuery ? order.get(head) : 0);
      if (Math.max(start, end) < -ROW || Math.min(start, end) > frame.height + ROW) continue;
      const strength = Math.ceil(STRENGTHS * (weight / most) ** (isOne ? 0.8 : 1.1));
      const name = head * (STRENGTHS + 1) + strength;
      if (!paths.has(name)) paths.set(name, { head, strength, path: new Path2D() });
      const { path } = paths.get(name);
      path.moveTo(from, start);
      path.bezierCurveTo(from + bend, start, to - bend, end, to, end);
    }
    context.lineCap = "round";
    for (const { head, strength, path } of [...paths.values()].sort((a, b) => a.strength - b.strength)) {
      context.strokeStyle = headColour(head);
      context.globalAlpha = Math.max(0.03, (strength / STRENGTHS) * 0.9);
      context.lineWidth = isOne ? 1 + (strength / STRENGTHS) * 1.6 : 1.3;
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }

  // Draw a cell for each head beside each token at the other end, with an opacity that follows the weight.
  paintCells(context, frame, lines, most) {
    const other = this.side === "query" ? "key" : "query";
    const order = new Map(this.heads.map((head, at) => [head, at]));
    const start = other === "key" ? frame.right - frame.cell * this.heads.length : frame.left;
    for (const line of lines) {
      const y = ROW * this.places[other].get(line[other]) - frame.top;
      if (y < -ROW || y > frame.height) continue;
      context.fillStyle = headColour(line.head);
      context.globalAlpha = (line.weight / most) ** 0.7;
      context.fillRect(start + frame.cell * order.get(line.head), y + 3, frame.cell - 1, ROW - 6);
    }
    context.globalAlpha = 1;
  }
}

const placesOf = (positions) => new Map(positions.map((position, place) => [position, place]));

/** Return the message for a drawing without any weight above the minimum. */
export const nothingReaches = (/** @type {number} */ most, /** @type {number} */ least) =>
  `No weight here is at least ${share(least)}; the largest is ${share(most)}.`;
