// @ts-check
// The mask view: the predictions for each mask, and what the mask attends to.

import { about, layerName, layerOf } from "../data.js";
import { empty, make } from "../dom.js";
import { drawingOfMasks } from "../drawings.js";
import { attributionOf, headEffectsOf } from "../explanations.js";
import { headsInWords } from "../facts.js";
import { candidates } from "../predictions.js";
import { ScaleLegend, Shading } from "../scale.js";
import { chosenHeads, currentText, curveOf, isSpecialHidden, keeping, shownPositions } from "../state.js";
import { change, now } from "../store.js";
import { tableOfMasks } from "../tables.js";
import { bars, strongest, TokenList } from "../tokens.js";
import { View } from "../view.js";
import { meanPrecision, shownMatrix } from "../weights.js";

/**
 * @typedef {import("../state.js").State} State
 *
 * @typedef {object} Look What a mask attends to.
 * @property {TokenList} list
 * @property {ScaleLegend} legend
 * @property {number} position Of the mask.
 * @property {(key: number) => number} mean Return the weight of a key.
 * @property {number} most The largest weight.
 */

const LISTED = 8; // of the tokens that the mask attends to

export class MasksView extends View {
  constructor() {
    super("masks", "Masks", ["layer", "heads", "special"], [
      { needs: ["layer"], draw: (state) => this.load(state) },
      { needs: ["heads", "special"], draw: (state) => this.show(state) },
      { needs: ["token", "curve"], draw: (state) => this.shade(state) },
    ]);
  }

  build(section) {
    this.body = make("div");
    /** @type {Look[]} */
    this.looks = [];
    section.append(this.body);
  }

  async load(/** @type {State} */ state) {
    const layer = await layerOf(currentText(state), state.layer);
    if (this.drawn === state) this.layer = layer;
  }

  table(/** @type {State} */ state) {
    return tableOfMasks(currentText(state));
  }

  drawing(/** @type {State} */ state) {
    const text = currentText(state);
    if (!text.masks.length) return null;
    const matrices = this.matricesOf(state);
    const { keys } = shownPositions(state);
    const attended = matrices.length
      ? `attention in layer ${layerName(state.layer)}, ${headsInWords(chosenHeads(state))}`
      : null;
    return drawingOfMasks("Predictions for each mask", text, attended, (position) =>
      matrices.length
        ? strongest(keys, (key) => meanAt(matrices, position, key), LISTED)
            .map((one) => ({ ...one, precision: meanPrecision(matrices, position) }))
        : []);
  }

  fileWords(/** @type {State} */ state) {
    return [`layer-${layerName(state.layer)}`];
  }

  matricesOf(/** @type {State} */ state) {
    return chosenHeads(state).map((head) => shownMatrix(currentText(state), this.layer, head, isSpecialHidden(state)));
  }

  show(/** @type {State} */ state) {
    const text = currentText(state);
    this.looks = [];
    if (!text.masks.length) {
      this.body.replaceChildren(
        about.hasMlmHead
          ? empty(
              "This text has no mask",
              "Write [MASK] for a missing word, and this view shows the predictions for it:",
              'bertcli attn "how [MASK] you" --html page.html',
            )
          : empty("No predictions", `This model has no masked-language-model head.`),
      );
      return;
    }
    const matrices = this.matricesOf(state);
    this.body.replaceChildren(...text.masks.map((mask, at) => this.mask(state, mask, at, matrices)));
  }

  mask(
    /** @type {State} */ state,
    /** @type {import("../data.js").Mask} */ { position, predictions, attributions, headEffects },
    at,
    matrices,
  ) {
    const text = currentText(state);
    const section = make(
      "section",
      { class: "mask" },
      make("h2", {
        text: text.masks.length > 1 ? `Mask ${at + 1} of ${text.masks.length}` : "Predictions for the mask",
      }),
    );
    const right = make("div", { class: "looks" });
    section.append(make("div", { class: "halves" }, make("div", {}, candidates(predictions)), right));
    section.append(...(attributions ?? []).map((found) => attributionOf(text, found)));
    if (headEffects) section.append(headEffectsOf(headEffects));
    if (!matrices.length) {
      right.append(make("p", { class: "quiet", text: "Select a head above to see what the mask attends to." }));
      return section;
    }
    const mean = (key) => meanAt(matrices, position, key);
    const positions = shownPositions(state).keys;
    const most = Math.max(...positions.map(mean), 1e-9);
    right.append(
      make("h3", {
        text: `Attention of the mask in layer ${layerName(state.layer)}, ${headsInWords(chosenHeads(state))}`,
      }),
    );
    const list = new TokenList(right, {
      name: `Attention of mask ${at + 1}`,
      point: () => {},
      keep: (token) => change(keeping(now(), { query: token, key: null })),
    });
    list.show(text, positions);
    const legend = new ScaleLegend(false);
    this.looks.push({ list, legend, position, mean, most });
    right.append(legend.root, bars(text, strongest(positions, mean, LISTED), () => meanPrecision(matrices, position)));
    return section;
  }

  /** Shade the tokens that the masks attend to, and mark the kept one. */
  shade(/** @type {State} */ state) {
    for (const { list, legend, position, mean, most } of this.looks) {
      const shading = new Shading({ curve: curveOf(state), most, size: currentText(state).size });
      list.mark(position, state.token, (key) => shading.strength(mean(key)));
      legend.show(state, shading);
    }
  }
}

/** Return the weight from a query to a key, as the mean of matrices. */
const meanAt = (matrices, /** @type {number} */ query, /** @type {number} */ key) =>
  matrices.reduce((sum, matrix) => sum + matrix.at(query, key), 0) / matrices.length;
