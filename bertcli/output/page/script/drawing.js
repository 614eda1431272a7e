// Elements, canvases and colours.

const views = []; // each view's script adds itself

// Create an element. A property that begins with "on" is an event listener; text is never parsed as HTML.
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...present(children));
  return element;
}

const present = (children) => children.filter((child) => child !== null && child !== undefined);

// Replace the children of an element; null children are left out.
function fill(element, ...children) {
  element.replaceChildren(...present(children));
  return element;
}

const isDark = () => {
  const asked = document.documentElement.dataset.theme;
  return asked ? asked === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

// The browser lays out the paper after the last moment at which a script can draw. So draw for print at a width that
// fits between the margins of any usual paper; the print style sheet then fits the drawing to the actual paper.
let isPrinting = false;
const PAPER_WIDTH = 680;
const roomIn = (element) => (isPrinting ? PAPER_WIDTH : element.clientWidth);

// Return a colour of the style sheet.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const headHue = (head) => (250 + (head * 360) / about.heads * (about.heads > 6 ? 5 / 1 : 1)) % 360;
const headColour = (head) => `oklch(${isDark() ? 0.76 : 0.58} 0.14 ${headHue(head)})`;

const RAMPS = {
  light: [[246, 244, 240], [198, 214, 226], [98, 148, 186], [20, 58, 98]],
  dark: [[29, 33, 40], [38, 66, 94], [74, 132, 178], [206, 230, 248]],
};
const POLES = {
  light: { minus: [180, 84, 26], nought: [246, 244, 240], plus: [24, 92, 146] },
  dark: { minus: [242, 150, 88], nought: [29, 33, 40], plus: [110, 178, 232] },
};

function mix(a, b, share) {
  return [0, 1, 2].map((channel) => Math.round(a[channel] + (b[channel] - a[channel]) * share));
}

// Return 256 colours, from the weakest to the strongest, as [r, g, b].
function ramp() {
  const stops = RAMPS[isDark() ? "dark" : "light"];
  return Array.from({ length: 256 }, (_, step) => {
    const place = (step / 255) * (stops.length - 1);
    const stop = Math.min(Math.floor(place), stops.length - 2);
    return mix(stops[stop], stops[stop + 1], place - stop);
  });
}

const rgb = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;
const rampColour = (share) => rgb(ramp()[Math.round(255 * Math.min(1, Math.max(0, share)))]);

// Return the colour of a share between -1 and 1.
function poleColour(share) {
  const { minus, nought, plus } = POLES[isDark() ? "dark" : "light"];
  return rgb(mix(nought, share < 0 ? minus : plus, Math.min(1, Math.abs(share))));
}

// Return a text colour that is readable on a cell with this share.
function inkOn(share) {
  const isStrong = share > 0.62;
  if (isDark()) return isStrong ? "#10202e" : "#e4e9ef";
  return isStrong ? "#ffffff" : "#26303c";
}

const LONGEST_CANVAS = 16384; // pixels; every browser can draw a canvas with sides of this length

// Resize and clear a canvas; return its context, scaled to CSS pixels. width, height: in CSS pixels.
function fitted(canvas, width, height) {
  const ratio = Math.min(isPrinting ? 2 : window.devicePixelRatio || 1, LONGEST_CANVAS / Math.max(width, height));
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

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif";

// Return the text, cut to the width and ended with … if it is too long.
function shortened(context, text, width) {
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

// Return a share in digits that tell it from zero: 0.123, 0.0123 or 1.2e-4. Only zero itself is "0".
function share(number) {
  if (number === 0) return "0";
  if (Math.abs(number) < 0.00095) return number.toExponential(1);
  return number.toFixed(Math.abs(number) < 0.0995 ? 4 : 3);
}

function announce(words) {
  document.getElementById("announcer").textContent = words;
}

// Return the message for a drawing without any weight above the minimum.
const nothingReaches = (most) => `No weight here is at least ${state.least.toFixed(2)}; the largest is ${share(most)}.`;

function empty(title, ...paragraphs) {
  return make("div", { class: "empty" }, make("h2", { text: title }), ...paragraphs.map((text) => make("p", { text })));
}
