// @ts-check
// The model view: a thumbnail of every head's matrix.

import { silentCanvas } from "../canvas.js";
import {
  changeInBrief,
  changeOf,
  distanceInWords,
  fillRanking,
  markChanges,
  openChange,
  tableOfChanges,
} from "../changes.js";
import { comparisonOf, textName } from "../compared.js";
import { tableOfComparison } from "../comparedfiles.js";
import { about, layerName, layerOf, textAt } from "../data.js";
import { make } from "../dom.js";
import { differenceBar, DifferenceShading } from "../difference.js";
import { drawingOfHeads } from "../drawings.js";
import { Enlargement } from "../enlargement.js";
import { inBrief } from "../facts.js";
import { HeadGrid, openHead } from "../grid.js";
import { ScaleLegend, Shading } from "../scale.js";
import { pictureOfDifference } from "../slots.js";
import { comparedIn, currentText, curveOf, isSpecialHidden, placeOfHead, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfHeads, tableOfMatrix } from "../tables.js";
import { Thumbnail } from "../thumbnail.js";
import { labelOf } from "../tokens.js";
import { View } from "../view.js";
import { shownMatrix } from "../weights.js";

/** @typedef {import("../state.js").State} State */

const HINT = "Rows are layers, columns are heads. Click a thumbnail to enlarge it, and again to open the head.";
const HINT_OF_CHANGES =
  "Each thumbnail shows how the weights of a head differ between the texts. Click one to enlarge it, and again to " +
  "compare it in the matrix view.";

/** Let the browser draw and react before the work continues. */
const pause = () => new Promise((resume) => setTimeout(resume));

export class ModelView extends View {
  constructor() {
    super("model", "Model", ["drawing", "filter", "special", "find", "compare"], [
      { needs: ["find"], draw: (state) => this.dim(state) },
      { needs: ["filter", "special", "compare", "pairs"], draw: (state) => this.read(state) },
      { needs: ["curve", "extent", "drawing"], draw: (state) => this.paintAll(state) },
      { needs: ["enlarged"], draw: (state) => this.enlarge(state) },
    ]);
  }

  build(section) {
    this.line = make("p", { class: "pointed" });
    /** @type {any[]} */
    this.canvases = [];
    /** @type {any[]} */
    this.bars = []; // under the thumbnails
    this.grid = new HeadGrid("thumbnails", "All heads", (layer, head) => this.thumbnail(layer, head), {
      point: (place, isFocus) => this.pointAt(place, isFocus),
      keep: (place) => this.keep(place),
    });
    this.legend = new ScaleLegend(true);
    const main = make("div", { class: "thumbnail-stage" }, make("div", { class: "wide" }, this.grid.root));
    this.ranking = make("section", { class: "ranking", hidden: true });
    section.append(this.line, main, this.legend.root, this.ranking);
    this.enlargement = new Enlargement(main, {
      open: () => this.keep(placeOfHead(now().enlarged)),
      close: () => this.close(),
    });
    this.pictured = "";
    /** @type {Thumbnail[]} */
    this.pictures = [];
    /** @type {import("../changes.js").HeadChange[] | null} */
    this.changes = null; // from this text to the one that it is compared with
    this.pointAt(null);
  }

  thumbnail(layer, head) {
    const canvas = silentCanvas();
    const bar = make("span", { class: "change", hidden: true }, make("span", { class: "bar" }));
    this.canvases.push(canvas);
    this.bars.push(bar);
    return make(
      "button",
      {
        type: "button",
        class: "thumbnail",
        "data-layer": layer,
        "data-head": head,
        "aria-label": `layer ${layerName(layer)}, head ${head}`,
      },
      canvas,
      bar,
    );
  }

  dim(/** @type {State} */ state) {
    this.grid.dimOthers(state);
  }

  /** Return the weights of a head. */
  async matrixOf(/** @type {State} */ state, /** @type {number} */ layer, /** @type {number} */ head) {
    const text = currentText(state);
    return shownMatrix(text, await layerOf(text, layer), head, isSpecialHidden(state));
  }

  /** Return the comparison of a head in two texts. */
  comparisonOf(/** @type {State} */ state, /** @type {number} */ layer, /** @type {number} */ head) {
    return comparisonOf(
      state,
      [currentText(state), textAt(comparedIn(state).text)].map((text) => ({ text, layer, head })),
    );
  }

  async read(/** @type {State} */ state) {
    const rows = shownPositions(state);
    const compared = comparedIn(state)?.text ?? null;
    const asked = JSON.stringify([currentText(state).number, rows, compared, state.pairs]);
    if (asked === this.pictured) return;
    this.pictured = "";
    this.changes = compared === null ? null : [];
    this.pictures = [];
    this.say();
    for (let layer = 0; layer < about.layers; layer++) {
      for (let head = 0; head < about.heads; head++) {
        await this.readOne(state, layer, head, rows);
        if (this.changes) await pause();
        if (this.drawn !== state) return;
      }
      if (this.changes) this.paint(state);
      await pause();
      if (this.drawn !== state) return;
    }
    this.pictured = asked;
  }

  /** Read a head, unless the state changes meanwhile. */
  async readOne(
    /** @type {State} */ state,
    /** @type {number} */ layer,
    /** @type {number} */ head,
    /** @type {import("../zoom.js").Rows} */ rows,
  ) {
    const at = layer * about.heads + head;
    if (this.changes) {
      const comparison = await this.comparisonOf(state, layer, head);
      if (this.drawn !== state) return;
      this.changes[at] = changeOf(comparison);
      this.pictures[at] = new Thumbnail(comparison.difference, comparison.either);
    } else {
      const matrix = await this.matrixOf(state, layer, head);
      if (this.drawn !== state) return;
      this.pictures[at] = new Thumbnail(matrix, rows);
      if (state.extent === "head") this.paintOne(state, at, 0);
    }
  }

  /** Return the scale of a thumbnail. most: The largest weight or difference of all heads. */
  shadingOf(/** @type {State} */ state, /** @type {number} */ at, /** @type {number} */ most) {
    const curve = curveOf(state);
    if (this.changes) return new DifferenceShading({ curve, most });
    return new Shading({ curve, most: state.extent === "global" ? most : this.pictures[at].most });
  }

  get most() {
    return this.pictures.reduce((most, picture) => Math.max(most, picture.most), 0);
  }

  paintAll(/** @type {State} */ state) {
    this.paint(state);
    this.say();
  }

  paint(/** @type {State} */ state) {
    const { most } = this;
    this.pictures.forEach((_, at) => this.paintOne(state, at, most));
    this.legend.bar.classList.toggle("opacity", state.drawing === "lines" && !this.changes);
    markChanges(this.bars, this.changes ?? []);
    this.ranking.hidden = !this.changes;
    if (this.changes) {
      const names = [state.text, comparedIn(state).text].map(textName);
      this.legend.showBar(state, differenceBar(most, `more in ${names[0]}`, `more in ${names[1]}`), false);
      fillRanking(this.ranking, this.changes, names);
      return;
    }
    const isGlobal = state.extent === "global";
    this.legend.show(
      state,
      isGlobal ? new Shading({ curve: curveOf(state), most }) : null,
      isGlobal ? "" : "weight of each head",
    );
  }

  paintOne(/** @type {State} */ state, /** @type {number} */ at, /** @type {number} */ most) {
    const canvas = this.canvases[at];
    canvas.classList.toggle("smooth", state.drawing === "lines");
    const shading = this.shadingOf(state, at, most);
    if (state.drawing === "lines") this.pictures[at].paintLines(canvas, shading, at % about.heads);
    else this.pictures[at].paintCells(canvas, shading);
  }

  async enlarge(/** @type {State} */ state) {
    const at = state.enlarged;
    this.grid.cells.forEach((cell, place) => cell.setAttribute("aria-expanded", String(place === at)));
    if (at === null) {
      this.enlargement.hide();
      return;
    }
    const { layer, head } = placeOfHead(at);
    const text = currentText(state);
    const shading = this.shadingOf(state, at, this.most);
    const compared = this.changes ? await this.comparisonOf(state, layer, head) : null;
    const picture = compared ? pictureOfDifference(compared, shading)
      : { text, rows: shownPositions(state), matrix: await this.matrixOf(state, layer, head), shading };
    if (this.drawn !== state) return;
    this.compared = compared;
    this.enlarged = picture;
    const words = this.changes ? distanceInWords(this.changes[at]) : labelOf(text, layer, head);
    const title = `Layer ${layerName(layer)}, head ${head}${words ? ` · ${words}` : ""}`;
    this.enlargement.show(
      this.grid.cells[at],
      title,
      picture,
      state.drawing === "lines" ? this.pictures[at] : null,
      head,
    );
  }

  /** Return the matrix of the enlarged head, or the statistics of all. */
  table(/** @type {State} */ state) {
    const text = currentText(state);
    if (state.enlarged === null) return this.changes ? tableOfChanges(text, this.changes) : tableOfHeads(text);
    return this.changes ? tableOfComparison(this.compared, this.compared.either) : tableOfMatrix(this.enlarged);
  }

  drawing(/** @type {State} */ state) {
    const side = 90;
    const title = this.changes
      ? `Attention of all heads: ${textName(comparedIn(state).text)} − ${textName(state.text)}`
      : "Attention of all heads";
    return drawingOfHeads(title, { width: side, height: side, gap: 6 }, (context, at, x, y) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(this.canvases[at], x, y, side, side);
    });
  }

  fileWords(/** @type {State} */ state) {
    const other = this.changes ? ["and", `text-${comparedIn(state).text + 1}`] : [];
    if (state.enlarged === null) return other;
    const { layer, head } = placeOfHead(state.enlarged);
    return [`layer-${layerName(layer)}`, `head-${head}`, ...other];
  }

  /** Enlarge a head, or open it if it is enlarged already. */
  keep({ layer, head }) {
    const at = layer * about.heads + head;
    if (now().enlarged !== at) change({ enlarged: at });
    else if (comparedIn(now())) openChange(layer, head);
    else openHead(layer, head);
  }

  close() {
    const cell = this.grid.cells[now().enlarged];
    change({ enlarged: null });
    cell?.focus({ preventScroll: true });
  }

  /** Report the head under the pointer or the focus. While a head is enlarged, the keys enlarge the next one. */
  pointAt(place, isFocus = false) {
    if (place && isFocus && now().enlarged !== null) change({ enlarged: place.layer * about.heads + place.head });
    this.pointed = place;
    this.say();
  }

  /** Describe the head that was last pointed at. */
  say() {
    const { pointed: place, changes } = this;
    if (place === null) {
      this.line.replaceChildren(make("span", { class: "hint", text: changes ? HINT_OF_CHANGES : HINT }));
      return;
    }
    const { layer, head } = place;
    const own = changes?.[layer * about.heads + head];
    const words = changes ? (own ? changeInBrief(own) : "") : inBrief(currentText(now()), layer, head);
    this.line.replaceChildren(make("strong", { text: `Layer ${layerName(layer)}, head ${head}` }), ` · ${words}`);
  }
}
