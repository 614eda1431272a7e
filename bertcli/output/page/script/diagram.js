// @ts-check
// Lines from queries on the left to keys on the right. Only the part on the screen is drawn. Of many tokens, those
// around the chosen one are laid out in full, and the others are thin bars.

import { fitted, FONT, isPrinting, PAPER_WIDTH, silentCanvas } from "./canvas.js";
import { make } from "./dom.js";
import { Lines } from "./lines.js";
import { share } from "./numbers.js";
import { Pointing } from "./pointing.js";
import { areMany, ROW, rowHeight, Rows, rowsOf } from "./rows.js";
import { focus, keeping } from "./state.js";
import { change, now } from "./store.js";
import { drawAll, drawOne, drawThin, writeTokens } from "./strokes.js";
import { nameOf, TokenList, visible } from "./tokens.js";

/** @typedef {"query" | "key"} Side */

const ROWS_OF_PIECE = 8; // rows of a piece on paper
const BELOW = 56; // pixels below the diagram, for the foot of the page
const LEAST_LABEL = 56; // pixels of the column of tokens
const MOST_LABEL = 190;
const FAINT = 0.28; // opacity of the lines of other tokens

/** @type {Side[]} */
const SIDES = ["query", "key"];

export class EdgeDiagram {
  constructor(parent) {
    this.canvas = silentCanvas();
    this.paper = make("div", { class: "paper" });
    this.nothing = make("p", { class: "nothing", hidden: true });
    this.flag = make("div", { class: "flag", hidden: true, "aria-hidden": "true" });
    this.root = make("div", { class: "diagram" }, this.canvas);
    /** @type {Record<Side, DiagramSide>} */
    this.sides = {
      query: new DiagramSide(this.root, "query", "Queries", "side queries"),
      key: new DiagramSide(this.root, "key", "Keys", "side keys"),
    };
    this.root.append(this.paper, this.nothing, this.flag);
    parent.append(this.root);
  }

  /**
   * Take what is to be drawn.
   *
   * @param {import("./data.js").Text} text
   * @param {{queries: number[], keys: number[]}} positions
   * @param {number[]} heads
   * @param {import("./data.js").RowMatrix[]} matrices One for each head.
   * @param {number | null} least
   */
  show(text, positions, heads, matrices, least) {
    this.text = text;
    this.heads = heads;
    this.lines = new Lines(heads, matrices, positions, least);
    this.sides.query.take(text, positions.queries);
    this.sides.key.take(text, positions.keys);
    this.label = labelWidth(text, positions);
    this.root.style.setProperty("--label", `${this.label}px`);
    this.received = null;
  }

  /** Lay out the rows, around a position if there are many. */
  layOut(/** @type {number | null} */ center) {
    const { query, key } = this.sides;
    const count = Math.max(query.positions.length, key.positions.length);
    const top = this.root.getBoundingClientRect().top + window.scrollY;
    const room = window.innerHeight - top - BELOW;
    const height = isPrinting() ? ROW : rowHeight(count, room);
    for (const side of [query, key]) {
      side.layOut(this.text, rowsOf(side.positions.length, height, room, side.nearest(center ?? 0)));
    }
    this.isThin = areMany(count);
    this.total = Math.max(query.rows.total, key.rows.total);
    this.root.style.height = `${this.total}px`;
    this.background = null;
  }

  /** Lay out the rows again if the kept token is not among those in full. */
  follow(/** @type {import("./state.js").State} */ state) {
    const center = state.token ?? state.key;
    const side = state.token === null ? "key" : "query";
    if (!this.sides.query.rows || (center !== null && !this.sides[side].showsAround(center))) this.layOut(center);
  }

  /** Draw the lines of the token in focus, or all lines. */
  draw(/** @type {import("./state.js").State} */ state) {
    this.follow(state);
    const box = this.root.getBoundingClientRect(); // before any change, since the browser would lay out again after it
    const place = focus(state);
    /** @type {Side | null} */
    this.side = place === null ? null : place.query !== null ? "query" : "key";
    this.chosen = this.side === null ? null : place[this.side];
    for (const side of SIDES) {
      this.sides[side].list.mark(side === this.side ? this.chosen : null, side === "query" ? state.token : state.key);
    }
    this.root.classList.toggle("focused", this.side !== null);
    this.own = this.side === null ? null : this.lines.of(this.side, this.chosen);
    const isEmpty = this.own ? this.own.most === 0 : !this.lines.drawn.length;
    this.nothing.hidden = !isEmpty;
    if (isEmpty) {
      this.nothing.textContent = nothingReaches(this.lines.largest(this.side, this.chosen), state.least ?? 0);
    }
    this.raiseFlag();
    if (isPrinting()) this.paintPaper();
    else this.paint(box);
  }

  /** The lines to save: those of the token in focus, or of all tokens. */
  get shown() {
    return this.own ? this.own.all() : this.lines.drawn;
  }

  /** Name the token in focus beside its thin bar. */
  raiseFlag() {
    const side = this.side && this.sides[this.side];
    this.flag.hidden = !side || side.isFull(this.chosen);
    if (this.flag.hidden) return;
    this.flag.textContent = nameOf(this.text, this.chosen);
    this.flag.className = `flag ${this.side}`;
    this.flag.style.top = `${side.rows.middle(side.places.get(this.chosen))}px`;
  }

  paint(/** @type {DOMRect} */ box) {
    const height = Math.min(box.height, window.innerHeight);
    const top = Math.max(0, Math.min(-box.top, box.height - height));
    this.canvas.style.transform = `translateY(${top}px)`;
    this.paper.replaceChildren();
    const { query, key } = this.sides;
    this.paintPart(this.canvas, this.frameOf(box.width, height, top, { query: query.rows, key: key.rows }));
  }

  // Draw the whole diagram as pieces of a few rows, with their tokens. A page break never cuts a piece.
  paintPaper() {
    const queries = this.sides.query.positions;
    const keys = this.sides.key.positions;
    const rows = { query: new Rows(queries.length, ROW), key: new Rows(keys.length, ROW) };
    const pieces = [];
    for (let row = 0; row < Math.max(queries.length, keys.length); row += ROWS_OF_PIECE) {
      const height = ROW * Math.min(ROWS_OF_PIECE, Math.max(queries.length, keys.length) - row);
      const canvas = make("canvas");
      const frame = this.frameOf(PAPER_WIDTH, height, ROW * row, rows);
      const context = this.paintPart(canvas, frame);
      for (const side of SIDES) {
        const positions = this.sides[side].positions.slice(row, row + ROWS_OF_PIECE);
        writeTokens(context, frame, side, this.text, positions, side === this.side ? this.chosen : null);
      }
      pieces.push(canvas);
    }
    this.paper.replaceChildren(...pieces);
  }

  /** @returns {import("./strokes.js").Frame} */
  frameOf(width, height, top, rows) {
    const label = Math.min(this.label, Math.round(width * 0.3)) + 6;
    return {
      width, height, top, rows, left: label, right: width - label, heads: this.heads,
      places: { query: this.sides.query.places, key: this.sides.key.places },
    };
  }

  paintPart(canvas, /** @type {import("./strokes.js").Frame} */ frame) {
    const context = fitted(canvas, frame.width, frame.height);
    context.globalAlpha = this.side === null ? 1 : FAINT;
    context.drawImage(this.backgroundOf(canvas, frame), 0, 0, frame.width, frame.height);
    context.globalAlpha = 1;
    if (this.own) drawOne(context, frame, this.own);
    if (this.isThin && !isPrinting()) for (const side of SIDES) drawThin(context, frame, side, this.thinShares(side));
    return context;
  }

  // Return a drawing of the lines of all tokens. It is kept while only the token in focus changes.
  backgroundOf(canvas, frame) {
    const name = isPrinting() ? null : [canvas.width, canvas.height, frame.width, frame.top].join();
    if (name === null || this.background?.name !== name) {
      const drawing = new OffscreenCanvas(canvas.width, canvas.height);
      const context = drawing.getContext("2d");
      context.scale(canvas.width / frame.width, canvas.height / frame.height);
      drawAll(context, frame, this.lines.drawn);
      this.background = { name, drawing };
    }
    return this.background.drawing;
  }

  // Return the lengths of the thin bars of a side: the weights of the token in focus, or the sums that keys receive.
  thinShares(/** @type {Side} */ side) {
    const { length } = this.sides[side].positions;
    let sums = new Float64Array(length);
    if (this.own && side !== this.side) this.own.weights.forEach((weight, at) => (sums[at % length] += weight));
    else if (!this.own && side === "key") sums = this.received ??= this.lines.received();
    const most = sums.reduce((largest, sum) => Math.max(largest, sum), 1e-9);
    return Array.from(sums, (sum) => Math.sqrt(sum / most));
  }
}

/** The tokens of one side: a list of those in full, behind it the thin bars of the others. */
class DiagramSide {
  constructor(parent, /** @type {Side} */ side, /** @type {string} */ name, /** @type {string} */ classes) {
    const placeOf = (position) => ({ query: null, key: null, [side]: position });
    const use = {
      point: (position) => change({ pointed: position === null ? null : placeOf(position) }),
      keep: (position) => change(keeping(now(), placeOf(position))),
    };
    this.overview = make("div", { class: `overview ${side}`, title: "A bar for each token; click one to go to it" });
    parent.append(this.overview);
    new Pointing(this.overview, { itemAt: (event) => this.thinAt(event), ...use });
    this.list = new TokenList(parent, { name, classes, isColumn: true, ...use });
  }

  take(/** @type {import("./data.js").Text} */ text, /** @type {number[]} */ positions) {
    this.positions = positions;
    /** @type {Rows | null} */
    this.rows = null; // until they are laid out
    this.places = new Map(positions.map((position, place) => [position, place]));
  }

  /** Return the place of the position that is nearest to this one. */
  nearest(/** @type {number} */ position) {
    const place = this.positions.findIndex((one) => one >= position);
    return place < 0 ? this.positions.length - 1 : place;
  }

  layOut(/** @type {import("./data.js").Text} */ text, /** @type {import("./rows.js").Rows} */ rows) {
    this.rows = rows;
    const focused = document.activeElement?.closest("[data-position]");
    const hadFocus =
      focused && this.list.root.contains(focused) ? Number(/** @type {any} */ (focused).dataset.position) : null;
    this.list.show(text, this.positions.slice(rows.first, rows.last));
    if (hadFocus !== null) this.list.items.get(hadFocus)?.focus({ preventScroll: true });
    this.list.root.style.top = `${rows.top(rows.first)}px`;
    this.list.root.style.setProperty("--row", `${rows.height}px`);
    this.overview.hidden = rows.last - rows.first === rows.count;
    this.overview.style.height = `${rows.total}px`;
  }

  isFull(/** @type {number} */ position) {
    return this.rows.isFull(this.places.get(position));
  }

  showsAround(/** @type {number} */ position) {
    return !this.places.has(position) || this.rows.showsAround(this.places.get(position));
  }

  thinAt(event) {
    return this.positions[this.rows.at(event.clientY - this.overview.getBoundingClientRect().top)] ?? null;
  }
}

// Return the width that the tokens need, in pixels.
function labelWidth(/** @type {import("./data.js").Text} */ text, { queries, keys }) {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.font = `600 14px ${FONT}`;
  const longest = Math.max(
    0,
    ...[...new Set([...queries, ...keys])].map(
      (position) => context.measureText(visible(text.tokens[position]).slice(0, 60)).width,
    ),
  );
  return Math.min(MOST_LABEL, Math.max(LEAST_LABEL, Math.ceil(longest) + 12));
}

/** Return the message for a drawing without any weight above the minimum. */
export const nothingReaches = (/** @type {number} */ most, /** @type {number} */ least) =>
  `No weight here is at least ${share(least)}; the largest is ${share(most)}.`;
