// @ts-check
// The menu that saves the current view as a PNG, SVG or CSV file.

import { FONT, LONGEST_CANVAS, shortened } from "./canvas.js";
import { textCount } from "./data.js";
import { announce, make } from "./dom.js";
import { now } from "./store.js";
import { SvgContext } from "./svg.js";
import { csvOf } from "./tables.js";
import { colour } from "./theme.js";

/** @typedef {import("./drawings.js").Drawing} Drawing */

const MARGIN = 16;
const TITLE = 26; // height
const SCALE = 2; // pixels of a PNG file per CSS pixel, as long as it has at most MOST_PIXELS
const MOST_PIXELS = 12_000_000;

export class SaveMenu {
  constructor(/** @type {import("./view.js").View[]} */ views) {
    this.views = views;
    this.button = make("button", {
      type: "button",
      class: "plain",
      text: "⤓",
      title: "Save this view",
      "aria-label": "Save this view",
      "aria-haspopup": "true",
      "aria-expanded": "false",
      onclick: () => this.toggle(this.list.hidden),
    });
    this.items = {
      png: this.item("Picture (PNG)", () => this.savePng()),
      svg: this.item("Drawing (SVG)", () => this.saveSvg()),
      csv: this.item("Numbers (CSV)", () => this.saveCsv()),
    };
    this.list = make(
      "div",
      { class: "menu", role: "group", "aria-label": "Save this view as", hidden: true },
      ...Object.values(this.items),
    );
    this.root = make("div", { class: "saving" }, this.button, this.list);
    this.root.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", (event) => this.root.contains(event.target) || this.toggle(false));
  }

  item(/** @type {string} */ text, /** @type {() => void | Promise<void>} */ save) {
    return make("button", { type: "button", text, onclick: () => { this.close(); save(); } });
  }

  get view() {
    return this.views.find(({ name }) => name === now().view);
  }

  toggle(/** @type {boolean} */ isOpen) {
    this.list.hidden = !isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    const drawing = this.view.drawing(now());
    this.items.png.disabled = this.items.svg.disabled = !drawing;
    this.items.csv.disabled = !this.view.table(now());
    Object.values(this.items).find((item) => !item.disabled)?.focus();
  }

  close() {
    this.toggle(false);
    this.button.focus();
  }

  key(event) {
    const items = Object.values(this.items).filter((item) => !item.disabled);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (this.list.hidden) return;
    if (event.key === "Escape") this.close();
    else if (step) items.at((items.indexOf(document.activeElement) + step) % items.length)?.focus();
    else return;
    event.preventDefault();
  }

  async savePng() {
    const drawing = this.view.drawing(now());
    const [width, height] = [drawing.width + 2 * MARGIN, drawing.height + TITLE + 2 * MARGIN];
    const scale = Math.min(SCALE, Math.sqrt(MOST_PIXELS / (width * height)), LONGEST_CANVAS / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    paintSheet(context, drawing, width, height);
    this.save("png", await canvas.convertToBlob({ type: "image/png" }));
  }

  saveSvg() {
    const drawing = this.view.drawing(now());
    const [width, height] = [drawing.width + 2 * MARGIN, drawing.height + TITLE + 2 * MARGIN];
    const context = new SvgContext(width, height);
    paintSheet(context, drawing, width, height);
    this.save("svg", new Blob([context.toString()], { type: "image/svg+xml" }));
  }

  saveCsv() {
    this.save("csv", new Blob([csvOf(this.view.table(now()))], { type: "text/csv" }));
  }

  save(/** @type {string} */ suffix, /** @type {Blob} */ blob) {
    const text = textCount() > 1 ? [`text-${now().text + 1}`] : [];
    const name = `${["attention", ...text, this.view.name, ...this.view.fileWords(now())].join("-")}.${suffix}`;
    const href = URL.createObjectURL(blob);
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    announce(`Saved ${name}`);
  }
}

/** Paint a drawing with its title on a sheet in the colour of the page. */
function paintSheet(
  context,
  /** @type {Drawing} */ { title, paint },
  /** @type {number} */ width,
  /** @type {number} */ height,
) {
  context.fillStyle = colour("paper");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colour("ink");
  context.font = `600 14px ${FONT}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(shortened(context, title, width - 2 * MARGIN), MARGIN, MARGIN + TITLE / 3);
  context.save();
  context.translate(MARGIN, MARGIN + TITLE);
  paint(context);
  context.restore();
}
