// @ts-check
// Canvases, and how wide they may be.

import { make } from "./dom.js";

export const FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif";
// The browser lays out the paper after the last moment at which a script can draw. So draw for print at a width that
// fits between the margins of any usual paper; the print style sheet then fits the drawing to the actual paper.
export const PAPER_WIDTH = 680;
export const LONGEST_CANVAS = 16384; // pixels; every browser can draw a canvas with sides of this length

let isPaper = false;

/** True while the page is drawn for paper. */
export const isPrinting = () => isPaper;
export const setPrinting = (/** @type {boolean} */ isPrint) => (isPaper = isPrint);

/** Return the width for a drawing in this element, in CSS pixels. part: The share of the paper's width. */
export const roomIn = (element, part = 1) => (isPaper ? part * PAPER_WIDTH : element.clientWidth);

/** Resize and clear a canvas; return its context, scaled to CSS pixels. width, height: in CSS pixels. */
export function fitted(canvas, /** @type {number} */ width, /** @type {number} */ height) {
  const ratio = Math.min(isPaper ? 2 : window.devicePixelRatio || 1, LONGEST_CANVAS / Math.max(width, height));
  const [across, down] = [width, height].map((length) => Math.max(1, Math.round(length * ratio)));
  const context = canvas.getContext("2d");
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  canvas.style.setProperty("--width", `${width}px`);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, across, down);
  context.scale(ratio, ratio);
  return context;
}

/** Return a canvas that holds these pixels, one for each number. pixels: Uint32Array. */
export function pixelCanvas(/** @type {number} */ width, /** @type {number} */ height, pixels) {
  const canvas = new OffscreenCanvas(Math.max(1, width), Math.max(1, height));
  const image = new ImageData(canvas.width, canvas.height);
  new Uint32Array(image.data.buffer).set(pixels);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** Return the text, cut to the width and ended with … if it is too long. */
export function shortened(context, /** @type {string} */ text, /** @type {number} */ width) {
  if (context.measureText(text).width <= width) return text;
  const characters = [...text].slice(0, 200);
  let low = 0;
  let high = characters.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(`${characters.slice(0, middle).join("")}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${characters.slice(0, low).join("")}…`;
}

/** Return a new canvas that screen readers ignore. */
export const silentCanvas = (properties = {}) => make("canvas", { "aria-hidden": "true", ...properties });
