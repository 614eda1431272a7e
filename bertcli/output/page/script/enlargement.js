// @ts-check
// An enlarged thumbnail, with tokens, at the place of the thumbnail.

import { fitted, FONT, shortened } from "./canvas.js";
import { cellImage, labelsOf, layOut, paintMatrix } from "./cells.js";
import { make } from "./dom.js";
import { paintFlow } from "./flow.js";
import { colour } from "./theme.js";

/** @typedef {import("./thumbnail.js").Thumbnail} Thumbnail */

const SIDE = 460; // largest width and height of the drawing, in CSS pixels
const LARGEST_CELL = 34;
const LABELS = 0.26; // share of the width for the tokens of each side, beside lines
const PADDING = 14;

export class Enlargement {
  /**
   * @param {any} parent The enlargement never extends beyond its sides.
   * @param {object} use
   * @param {() => void} use.open Open the head.
   * @param {() => void} use.close
   */
  constructor(parent, { open, close }) {
    this.parent = parent;
    this.title = make("h2");
    this.canvas = make("canvas", { role: "img", title: "Click to open the head", onclick: open });
    this.root = make(
      "section",
      { class: "enlarged", hidden: true },
      make(
        "div",
        { class: "head-line" },
        this.title,
        make("button", {
          type: "button",
          class: "plain framed",
          text: "Open head",
          title: "Open the head (Enter)",
          onclick: open,
        }),
        make("button", {
          type: "button",
          class: "plain",
          text: "×",
          title: "Close (Esc)",
          "aria-label": "Close",
          onclick: close,
        }),
      ),
      this.canvas,
    );
    parent.append(this.root);
  }

  hide() {
    this.root.hidden = true;
  }

  /**
   * Show the head over its thumbnail.
   *
   * @param {any} anchor The element of the thumbnail.
   * @param {string} title
   * @param {import("./cells.js").Picture} picture
   * @param {Thumbnail | null} thumbnail The source of lines; null to draw cells.
   * @param {number} head
   */
  show(anchor, title, picture, thumbnail, head) {
    this.title.textContent = title;
    this.canvas.setAttribute("aria-label", title);
    this.root.setAttribute("aria-label", title);
    this.root.hidden = false;
    const room = Math.min(SIDE, this.parent.clientWidth - 2 * PADDING - 2);
    if (thumbnail) this.paintLines(picture, thumbnail, head, room);
    else this.paintCells(picture, room);
    this.place(anchor);
  }

  paintCells(/** @type {import("./cells.js").Picture} */ picture, /** @type {number} */ room) {
    const frame = layOut(this.canvas.getContext("2d"), picture.text, picture.rows, {
      width: room,
      height: room,
      isPart: true,
      largest: LARGEST_CELL,
    });
    paintMatrix(fitted(this.canvas, frame.width, frame.height), frame, picture, cellImage(picture), null);
  }

  paintLines(
    /** @type {import("./cells.js").Picture} */ { text, rows, shading },
    /** @type {Thumbnail} */ thumbnail,
    /** @type {number} */ head,
    /** @type {number} */ room,
  ) {
    const { queries, keys } = rows;
    const height = Math.min(room, 24 * Math.max(queries.length, keys.length));
    const context = fitted(this.canvas, room, height);
    const [left, right] = [room * LABELS, room * (1 - LABELS)];
    const [rowOfLeft, rowOfRight] = [height / thumbnail.height, height / thumbnail.width];
    paintFlow(context, { left, right, top: 0, rowOfLeft, rowOfRight }, thumbnail.links(shading, head));
    context.textBaseline = "middle";
    context.fillStyle = colour("ink");
    for (const [positions, align, x] of /** @type {[number[], string, number][]} */ ([
      [queries, "right", left - 8],
      [keys, "left", right + 8],
    ])) {
      const row = height / positions.length;
      context.textAlign = align;
      context.font = `${Math.min(13, Math.max(11, row))}px ${FONT}`;
      for (const { at, name } of labelsOf(text, positions, row, null)) {
        context.fillText(shortened(context, name, left - 8), x, row * (at + 0.5));
      }
    }
  }

  // Put the middle of the enlargement over that of the thumbnail, as far as the parent's sides allow.
  place(anchor) {
    const [outer, own, cell] = [this.parent, this.root, anchor].map((element) => element.getBoundingClientRect());
    const inside = (/** @type {number} */ wish, /** @type {number} */ most) => Math.max(0, Math.min(wish, most));
    const left = inside((cell.left + cell.right - own.width) / 2 - outer.left, outer.width - own.width);
    const top = inside((cell.top + cell.bottom - own.height) / 2 - outer.top, outer.height - own.height);
    Object.assign(this.root.style, { left: `${left}px`, top: `${top}px` });
  }
}
