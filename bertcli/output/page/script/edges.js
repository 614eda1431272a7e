// Lines from queries on the left to keys on the right. Only the part on the screen is drawn.

const MOST_LINES = 2000;
const MOST_OF_ONE = 300; // for a single token; its cells show all of its weights
const ROW = 24;
const ROWS_OF_PIECE = 8; // rows of a piece on paper
const STRENGTHS = 20; // levels of opacity; lines of the same level and colour are drawn as one path

class EdgeDiagram {
  constructor(parent, onPoint) {
    this.onPoint = onPoint;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.sides = { query: make("ol", { class: "side queries" }), key: make("ol", { class: "side keys" }) };
    this.nothing = make("p", { class: "nothing", hidden: true });
    this.paper = make("div", { class: "paper" });
    this.root = make("div", { class: "diagram" }, this.canvas, this.sides.query, this.sides.key, this.paper, this.nothing);
    parent.append(this.root);
    for (const [side, list] of Object.entries(this.sides)) {
      list.addEventListener("mouseover", (event) => this.point(side, event));
      list.addEventListener("mouseleave", () => this.point(side, null));
      list.addEventListener("click", (event) => this.keep(side, event));
    }
    this.key = "";
  }

  // rows: { queries, keys }, positions in the text. matrices: one for each of `heads`.
  show(text, rows, heads, matrices) {
    const key = `${text.number}:${rows.queries.join()}:${rows.keys.join()}`;
    if (key !== this.key) {
      this.fill(this.sides.query, text, rows.queries);
      this.fill(this.sides.key, text, rows.keys);
      this.key = key;
    }
    Object.assign(this, { text, rows, heads, matrices });
    this.root.style.height = `${ROW * Math.max(rows.queries.length, rows.keys.length)}px`;
    this.places = { query: placesOf(rows.queries), key: placesOf(rows.keys) };
    this.everything = this.strongestLines();
  }

  fill(list, text, positions) {
    list.replaceChildren(...positions.map((position) => make("li", {
      "data-position": position, dir: "ltr", title: `${visible(text.tokens[position])} · ${position}`,
      class: text.sentences[position] === 1 ? "second" : null,
    }, make("span", { text: visible(text.tokens[position]) }))));
  }

  point(side, event) {
    const row = event?.target.closest("li");
    if (event && !row) return;
    const position = row ? Number(row.dataset.position) : null;
    if (pointed.position === position && pointed.side === side) return;
    Object.assign(pointed, { side, position });
    this.onPoint();
  }

  keep(side, event) {
    const position = event.target.closest("li")?.dataset.position;
    if (position === undefined || side === "key") return;
    look({ token: state.token === Number(position) ? null : Number(position) });
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
    const least = Math.max(state.least, 1e-6);
    this.matrices.forEach((matrix, at) => {
      const head = this.heads[at];
      for (const query of queries) {
        const weights = matrix.row(query);
        for (const key of keys) {
          if (weights[key] >= least) take(head, query, key, weights[key]);
        }
      }
    });
  }

  // Return the lines of one token in all selected heads.
  linesOf({ side, position }) {
    const lines = [];
    const others = side === "query" ? this.rows.keys : this.rows.queries;
    this.matrices.forEach((matrix, at) => {
      for (const other of others) {
        const [query, key] = side === "query" ? [position, other] : [other, position];
        const weight = matrix.at(query, key);
        if (weight >= Math.max(state.least, 1e-6)) lines.push({ head: this.heads[at], query, key, weight });
      }
    });
    return lines;
  }

  draw() {
    const chosen = focus();
    const hasFocus = chosen.position !== null && this.places[chosen.side].has(chosen.position);
    for (const [side, list] of Object.entries(this.sides)) {
      list.querySelector(".chosen")?.classList.remove("chosen");
      if (hasFocus && side === chosen.side) {
        list.children[this.places[side].get(chosen.position)].classList.add("chosen");
      }
    }
    this.root.classList.toggle("focused", hasFocus);
    const lines = hasFocus ? this.linesOf(chosen) : this.everything;
    this.nothing.hidden = lines.length > 0;
    if (!lines.length) this.nothing.textContent = nothingReaches(this.largest(hasFocus ? chosen : null));
    const side = hasFocus ? chosen.side : null;
    if (isPrinting) this.paintPaper(lines, side);
    else this.paint(lines, side);
  }

  // Return the largest weight of all tokens, or of the chosen one.
  largest(chosen) {
    const of = (side) => (chosen?.side === side ? [chosen.position] : this.rows[side === "query" ? "queries" : "keys"]);
    let most = 0;
    for (const matrix of this.matrices) for (const query of of("query")) for (const key of of("key")) most = Math.max(most, matrix.at(query, key));
    return most;
  }

  paint(lines, side) {
    const box = this.root.getBoundingClientRect();
    const height = Math.min(box.height, window.innerHeight);
    const top = Math.max(0, Math.min(-box.top, box.height - height));
    this.canvas.style.transform = `translateY(${top}px)`;
    this.paper.replaceChildren();
    this.paintPart(fitted(this.canvas, box.width, height), { ...this.columns(box.width), top, height }, lines, side);
  }

  // Draw the whole diagram as pieces of a few rows, with their tokens. A page break never cuts a piece.
  paintPaper(lines, side) {
    const { queries, keys } = this.rows;
    const frame = this.columns(PAPER_WIDTH);
    const pieces = [];
    for (let row = 0; row < Math.max(queries.length, keys.length); row += ROWS_OF_PIECE) {
      const height = ROW * Math.min(ROWS_OF_PIECE, Math.max(queries.length, keys.length) - row);
      const canvas = make("canvas");
      const context = fitted(canvas, PAPER_WIDTH, height);
      this.paintPart(context, { ...frame, top: ROW * row, height }, lines, side);
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
      const isChosen = align === "right" && position === focus().position;
      context.font = `${isChosen ? "600 " : ""}13px ${FONT}`;
      context.fillStyle = colour(this.text.sentences[position] === 1 ? "accent" : "ink");
      const room = align === "right" ? x : PAPER_WIDTH - x;
      context.fillText(shortened(context, visible(this.text.tokens[position]), room), x, ROW * (at + 0.5));
    });
  }

  paintPart(context, frame, lines, side) {
    const most = lines.reduce((largest, { weight }) => Math.max(largest, weight), 1e-9);
    this.paintLines(context, frame, lines, most, side !== null);
    if (side !== null) this.paintCells(context, frame, lines, most, side);
  }

  // Return where lines begin and end, and the width of the cells at their ends, in CSS pixels.
  columns(width) {
    const label = Math.round(width * (width < 520 ? 0.3 : 0.26));
    const cell = Math.max(2, Math.min(7, Math.floor(84 / this.heads.length), Math.floor((width * 0.12) / this.heads.length)));
    return { left: label + 6, right: width - label - 6, cell };
  }

  paintLines(context, frame, lines, most, isOne) {
    const middle = (place) => ROW * (place + 0.5) - frame.top;
    const strip = isOne ? frame.cell * this.heads.length + 4 : 0;
    const isQuery = focus().side === "query";
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
  paintCells(context, frame, lines, most, side) {
    const other = side === "query" ? "key" : "query";
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
