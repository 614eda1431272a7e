// @ts-check
// A drawing context that makes an SVG. It has those methods and properties of a canvas context that the page uses.

import { partsOf } from "./theme.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_CELLS = 20_000; // of images whose pixels become rectangles; further images are embedded as PNG
const ANCHORS = { left: "start", center: "middle", right: "end" };
const NOT_IN_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Return a colour in the form that every program for SVG reads. */
const plainColour = (/** @type {string} */ css) => `rgb(${partsOf(css).join(",")})`;

/** Return a length with at most two decimals. */
const short = (/** @type {number} */ length) => String(Math.round(length * 100) / 100);

export class SvgContext {
  constructor(/** @type {number} */ width, /** @type {number} */ height) {
    this.root = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${short(width)} ${short(height)}` })) {
      this.root.setAttribute(name, String(value));
    }
    this.ruler = new OffscreenCanvas(1, 1).getContext("2d");
    this.fillStyle = this.strokeStyle = "#000";
    this.lineWidth = this.globalAlpha = 1;
    this.font = "10px sans-serif";
    this.textAlign = "left";
    this.textBaseline = "alphabetic";
    this.lineCap = "butt";
    this.imageSmoothingEnabled = true;
    this.transform = "";
    /** @type {string[]} */
    this.transforms = [];
    this.path = "";
    this.cells = 0; // pixels of all images so far
  }

  /** Return the SVG as text. */
  toString() {
    return new XMLSerializer().serializeToString(this.root);
  }

  add(/** @type {string} */ tag, /** @type {Record<string, any>} */ attributes, text = "") {
    const element = document.createElementNS(SVG, tag);
    const all = {
      ...attributes,
      transform: this.transform.trim() || null,
      opacity: this.globalAlpha < 1 ? short(this.globalAlpha) : null,
    };
    for (const [name, value] of Object.entries(all)) {
      if (value !== null) element.setAttribute(name, typeof value === "number" ? short(value) : value);
    }
    if (text) element.textContent = text.replace(NOT_IN_XML, "\ufffd");
    this.root.append(element);
  }

  save() {
    this.transforms.push(this.transform);
  }

  restore() {
    this.transform = this.transforms.pop() ?? "";
  }

  translate(/** @type {number} */ x, /** @type {number} */ y) {
    this.transform += ` translate(${short(x)} ${short(y)})`;
  }

  rotate(/** @type {number} */ angle) {
    this.transform += ` rotate(${short((angle * 180) / Math.PI)})`;
  }

  measureText(/** @type {string} */ text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  /** Write a text. most: Its largest width. A wider text is squeezed. */
  fillText(
    /** @type {string} */ text,
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ most = Infinity,
  ) {
    const [, weight, size, family] = this.font.match(/^(\d+ )?([\d.]+)px (.*)$/) ?? [];
    this.add(
      "text",
      {
        x,
        y,
        fill: plainColour(this.fillStyle),
        "font-size": Number(size),
        "font-family": family,
        "font-weight": weight?.trim() ?? null,
        "text-anchor": ANCHORS[this.textAlign],
        "dominant-baseline": this.textBaseline === "middle" ? "central" : null,
        ...(this.measureText(text).width > most ? { textLength: most, lengthAdjust: "spacingAndGlyphs" } : {}),
        "xml:space": "preserve",
      },
      text,
    );
  }

  fillRect(
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ width,
    /** @type {number} */ height,
  ) {
    this.add("rect", { x, y, width, height, fill: plainColour(this.fillStyle) });
  }

  strokeRect(
    /** @type {number} */ x,
    /** @type {number} */ y,
    /** @type {number} */ width,
    /** @type {number} */ height,
  ) {
    this.add("rect", {
      x,
      y,
      width,
      height,
      fill: "none",
      stroke: plainColour(this.strokeStyle),
      "stroke-width": this.lineWidth,
    });
  }

  beginPath() {
    this.path = "";
  }

  moveTo(/** @type {number} */ x, /** @type {number} */ y) {
    this.path += `M${short(x)} ${short(y)}`;
  }

  lineTo(/** @type {number} */ x, /** @type {number} */ y) {
    this.path += `L${short(x)} ${short(y)}`;
  }

  bezierCurveTo(/** @type {number[]} */ ...points) {
    this.path += `C${points.map(short).join(" ")}`;
  }

  stroke() {
    this.add("path", {
      d: this.path, fill: "none", stroke: plainColour(this.strokeStyle), "stroke-width": this.lineWidth,
      "stroke-linecap": this.lineCap === "butt" ? null : this.lineCap,
    });
  }

  /**
   * Draw a canvas, or a part of it: as a rectangle for each run of equal pixels in a row, or as an image if those would
   * be too many. Like that of a canvas context, it takes the place, or the part of the canvas and then the place.
   *
   * @param {any} canvas
   * @param {number[]} numbers
   */
  drawImage(canvas, ...numbers) {
    const [x, y, width, height] = numbers.slice(-4);
    const image = numbers.length > 4 ? partOf(canvas, numbers) : canvas;
    this.cells += image.width * image.height;
    if (this.cells > MOST_CELLS) {
      const copy = document.createElement("canvas");
      Object.assign(copy, { width: image.width, height: image.height });
      copy.getContext("2d").drawImage(image, 0, 0);
      const rendering = this.imageSmoothingEnabled ? null : "pixelated";
      this.add("image", {
        x,
        y,
        width,
        height,
        href: copy.toDataURL(),
        preserveAspectRatio: "none",
        "image-rendering": rendering,
      });
      return;
    }
    const reader = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
    reader.drawImage(image, 0, 0);
    const { data } = reader.getImageData(0, 0, image.width, image.height);
    const pixels = new Uint32Array(data.buffer);
    const [across, down] = [width / image.width, height / image.height];
    for (let row = 0; row < image.height; row++) {
      for (let from = 0, to; from < image.width; from = to) {
        const at = row * image.width + from;
        for (to = from + 1; to < image.width && pixels[row * image.width + to] === pixels[at]; ) to += 1;
        if (!data[4 * at + 3]) continue;
        this.add("rect", {
          x: x + from * across, y: y + row * down, width: (to - from) * across, height: down,
          fill: `rgb(${[0, 1, 2].map((part) => data[4 * at + part]).join(",")})`,
          "fill-opacity": data[4 * at + 3] < 255 ? short(data[4 * at + 3] / 255) : null,
          "shape-rendering": "crispEdges",
        });
      }
    }
  }
}

/** Return a part of a canvas as another canvas. */
function partOf(canvas, /** @type {number[]} */ [left, top, width, height]) {
  const part = new OffscreenCanvas(width, height);
  part.getContext("2d").drawImage(canvas, left, top, width, height, 0, 0, width, height);
  return part;
}
