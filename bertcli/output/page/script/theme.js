// @ts-check
// Colours of the current theme. The style sheet defines them all; this module reads them once for each theme.

import { about } from "./data.js";

/** @typedef {[number, number, number]} Rgb Red, green and blue, 0 to 255. */

const STORED = "bertcli-attention-theme";
const systemTheme = matchMedia("(prefers-color-scheme: dark)");

/** @type {Map<string, any>} */
let known = new Map();
let isPaper = false;

/** Return the value that compute returns, computed once for each theme. */
function cached(name, compute) {
  if (!known.has(name)) known.set(name, compute());
  return known.get(name);
}

const isDark = () =>
  !isPaper && (document.documentElement.dataset.theme ?? (systemTheme.matches ? "dark" : "light")) === "dark";

/** Apply the theme that was chosen when the page was last open, and call onChange whenever the theme changes. */
export function startTheme(onChange) {
  const stored = storage()?.getItem(STORED);
  if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;
  systemTheme.addEventListener("change", () => {
    known = new Map();
    onChange();
  });
}

/** Switch between light and dark, and remember the choice. */
export function toggleTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  known = new Map();
  try {
    storage()?.setItem(STORED, document.documentElement.dataset.theme);
  } catch {
    // The storage is full. The theme applies until the page is closed.
  }
}

/** Return the browser's storage, or null where a page from a file has none. */
function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

let screenTheme;

/** Use the colours for paper, or those of the screen again. */
export function setPaper(isPrint) {
  if (isPrint === isPaper) return;
  const { dataset } = document.documentElement;
  if (isPrint) {
    screenTheme = dataset.theme;
    dataset.theme = "light"; // the screen's style sheet still applies while the script draws for paper
  } else if (screenTheme === undefined) delete dataset.theme;
  else dataset.theme = screenTheme;
  isPaper = isPrint;
  known = new Map();
}

/** Return a colour of the style sheet, by its name without --. */
export const colour = (/** @type {string} */ name) =>
  cached(name, () => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());

const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

/** @returns {Rgb} The parts of a CSS colour. */
export function partsOf(/** @type {string} */ css) {
  return cached(`parts of ${css}`, () => {
    pixel.fillStyle = css;
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue] = pixel.getImageData(0, 0, 1, 1).data;
    return [red, green, blue];
  });
}

const namedParts = (/** @type {string} */ name) => partsOf(colour(name));
export const css = (/** @type {Rgb} */ [red, green, blue]) => `rgb(${red} ${green} ${blue})`;

/** @returns {Rgb} */
function mix(/** @type {Rgb} */ a, /** @type {Rgb} */ b, /** @type {number} */ share) {
  const part = (/** @type {number} */ channel) => Math.round(a[channel] + (b[channel] - a[channel]) * share);
  return [part(0), part(1), part(2)];
}

// Neighbouring heads get hues that are far apart, if there are many.
const headHue = (/** @type {number} */ head) => (250 + ((head * 360) / about.heads) * (about.heads > 6 ? 5 : 1)) % 360;

/** Return the colour of a head, in every view. */
export const headColour = (/** @type {number} */ head) =>
  cached(`head ${head}`, () => `oklch(${colour("head-lightness")} ${colour("head-chroma")} ${headHue(head)})`);

/** Return the colour of a head, mixed with the paper's. share: Of the head's colour, 0 to 1. */
export const headTint = (/** @type {number} */ head, /** @type {number} */ share) =>
  cached(`tint ${head} ${share}`, () => css(mix(namedParts("paper"), partsOf(headColour(head)), share)));

/** @returns {Rgb[]} 256 colours, from that of the weakest weight to that of the strongest. */
export const ramp = () => cached("ramp", () => {
  const stops = [0, 1, 2, 3].map((stop) => namedParts(`ramp-${stop}`));
  return Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (stops.length - 1);
    const stop = Math.min(Math.floor(place), stops.length - 2);
    return mix(stops[stop], stops[stop + 1], place - stop);
  });
});

/** Return 256 colours as the pixels of an ImageData: one Uint32 each. */
export const rampPixels = () => cached("ramp pixels", () => pixelsOf(ramp()));

/** @returns {Rgb[]} 511 colours, from the most negative to the most positive. */
export const poles = () => cached("poles", () => {
  const [minus, nought, plus] = ["pole-minus", "ramp-0", "pole-plus"].map(namedParts);
  return Array.from({ length: 511 }, (_, step) => mix(nought, step < 255 ? minus : plus, Math.abs(step - 255) / 255));
});

export const polePixels = () => cached("pole pixels", () => pixelsOf(poles()));

function pixelsOf(/** @type {Rgb[]} */ colours) {
  return Uint32Array.from(new Uint32Array(Uint8ClampedArray.from(colours.flatMap((parts) => [...parts, 255])).buffer));
}

const bounded = (/** @type {number} */ share, /** @type {number} */ least) => Math.min(1, Math.max(least, share));

/** @returns {Rgb} The colour of a share from 0 to 1. */
export const rampColour = (/** @type {number} */ share) => ramp()[Math.round(255 * bounded(share, 0))];

/** @returns {Rgb} The colour of a share from -1 to 1. */
export const poleColour = (/** @type {number} */ share) => poles()[255 + Math.round(255 * bounded(share, -1))];

// Relative luminance and contrast as WCAG 2.2 defines them.
function luminance(/** @type {Rgb} */ parts) {
  const [red, green, blue] = parts.map((part) =>
    part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(/** @type {Rgb} */ a, /** @type {Rgb} */ b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}

/** Return the ink that is the more readable on this colour: nearly black or white. */
export const inkOn = (/** @type {Rgb} */ background) => cached(`ink on ${background}`, () => {
  const inks = ["ink-dark", "ink-light"].map(colour);
  const [dark, light] = inks.map((ink) => contrast(background, partsOf(ink)));
  return dark >= light ? inks[0] : inks[1];
});
