// @ts-check
// The data in the page: JSON about the model and each text, and the arrays of each layer, inflated on first use.

/**
 * @typedef {object} Mask
 * @property {number} position
 * @property {{token: string, score: number, sequence: string}[]} predictions
 *
 * @typedef {object} Text
 * @property {number} number Place among the texts of the page.
 * @property {number} size Number of tokens.
 * @property {string} text
 * @property {string | null} pair
 * @property {boolean} truncated
 * @property {string[]} tokens
 * @property {number[]} sentences 0 or 1 for each token of a pair of sentences; empty for a single text.
 * @property {number[][]} statistics For each head, by layer * heads + head, in the order of about.statistics.
 * @property {(string | null)[]} labels For each head.
 * @property {Mask[]} masks
 *
 * @typedef {object} Matrix The weights of one head.
 * @property {number} size
 * @property {Uint8Array} steps
 * @property {Float32Array} maxima
 * @property {(query: number, key: number) => number} at Return a weight.
 * @property {(query: number) => Float32Array} row Return the weights of a query.
 *
 * @typedef {object} Layer
 * @property {number} size
 * @property {Float32Array} maxima heads x size
 * @property {Uint8Array} weights heads x size x size
 *
 * @typedef {object} Vectors
 * @property {(head: number, position: number) => Float32Array} query
 * @property {(head: number, position: number) => Float32Array} key
 */

export const about = JSON.parse(document.getElementById("about").textContent);
const KEPT_BYTES = 128 * 1024 * 1024; // of inflated layers; the least recently used are dropped first

/** @type {Map<number, Text>} */
const parsedTexts = new Map();

let count = 0;

/** Return the number of texts. Call only when the page has loaded. */
export function textCount() {
  while (document.getElementById(`text-${count}`)) count += 1;
  return count;
}

/** @returns {Text} */
export function textAt(number) {
  if (!parsedTexts.has(number)) {
    const text = JSON.parse(document.getElementById(`text-${number}`).textContent);
    parsedTexts.set(number, { ...text, number, size: text.tokens.length });
  }
  return parsedTexts.get(number);
}

const BASE = about.alphabet.length;
const digitOf = new Uint8Array(128);
[...about.alphabet].forEach((character, digit) => (digitOf[character.charCodeAt(0)] = digit));

// Decode six bytes from each seven digits. The digits are read as three and four, so that each part fits in 32 bits.
function bytesOf(digits, size) {
  const bytes = new Uint8Array(Math.ceil(size / 6) * 6);
  const scale = BASE ** 4;
  for (let from = 0, to = 0; from < digits.length; from += 7, to += 6) {
    const at = (place) => digitOf[digits.charCodeAt(from + place)];
    const high = (at(0) * BASE + at(1)) * BASE + at(2);
    const low = ((at(3) * BASE + at(4)) * BASE + at(5)) * BASE + at(6);
    const number = high * scale + low;
    const first = Math.floor(number / 0x1000000);
    const second = number - first * 0x1000000;
    bytes[to] = first >> 16;
    bytes[to + 1] = first >> 8;
    bytes[to + 2] = first;
    bytes[to + 3] = second >> 16;
    bytes[to + 4] = second >> 8;
    bytes[to + 5] = second;
  }
  return bytes.subarray(0, size);
}

async function inflated(id) {
  const holder = document.getElementById(id);
  if (!holder) return null;
  const stream = new Blob([bytesOf(holder.textContent, Number(holder.dataset.size))]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const keptArrays = new Map();

// Return a promise of the parsed array buffer with this id, or of null if the page does not contain it.
function kept(id, parse) {
  const known = keptArrays.get(id);
  keptArrays.delete(id);
  const promise = known ?? inflated(id).then((buffer) => ({ parts: buffer && parse(buffer), bytes: buffer?.byteLength ?? 0 }));
  keptArrays.set(id, promise);
  if (!known) promise.then(forgetOldest);
  return promise.then(({ parts }) => parts);
}

async function forgetOldest() {
  let bytes = 0;
  for (const [id, promise] of [...keptArrays].reverse()) {
    bytes += (await promise).bytes;
    if (bytes > KEPT_BYTES) keptArrays.delete(id);
  }
}

/**
 * Return the weights of all heads of a layer.
 *
 * @returns {Promise<Layer>}
 */
export function layerOf(/** @type {Text} */ text, /** @type {number} */ layer) {
  const { size } = text;
  const rows = about.heads * size;
  return kept(`attention-${text.number}-${layer}`, (buffer) => {
    return { size, maxima: new Float32Array(buffer, 0, rows), weights: new Uint8Array(buffer, 4 * rows) };
  });
}

/**
 * Return the rollout through a layer, or null if the page does not contain it. For a long text the page contains only
 * the rollout through all layers.
 *
 * @returns {Promise<Matrix | null>}
 */
export function rolloutOf(/** @type {Text} */ text, /** @type {number} */ layer) {
  return kept(`rollout-${text.number}-${layer}`, (buffer) =>
    matrixOf(text.size, new Uint8Array(buffer, 4 * text.size), new Float32Array(buffer, 0, text.size)));
}

/**
 * Return the query and key vectors, or null if the page does not contain them.
 *
 * @returns {Promise<Vectors | null>}
 */
export function vectorsOf(/** @type {Text} */ text, /** @type {number} */ layer) {
  const rows = about.heads * text.size;
  return kept(`vectors-${text.number}-${layer}`, (buffer) => {
    const maxima = new Float32Array(buffer, 0, 2 * rows);
    const steps = new Int16Array(buffer, 8 * rows);
    const vector = (row) => {
      const scale = maxima[row] / about.steps.vectors;
      return Float32Array.from(steps.subarray(row * about.headSize, (row + 1) * about.headSize), (step) => step * scale);
    };
    return {
      query: (head, position) => vector(head * text.size + position),
      key: (head, position) => vector(rows + head * text.size + position),
    };
  });
}

/** @returns {Matrix} The weights of one head. */
export function headMatrix(/** @type {Layer} */ layer, /** @type {number} */ head) {
  const { size } = layer;
  return matrixOf(size, layer.weights.subarray(head * size * size, (head + 1) * size * size),
    layer.maxima.subarray(head * size, (head + 1) * size));
}

/** @returns {Matrix} */
function matrixOf(size, steps, maxima) {
  const scale = 1 / about.steps.weights;
  const at = (query, key) => steps[query * size + key] * maxima[query] * scale;
  return { size, steps, maxima, at, row: (query) => Float32Array.from({ length: size }, (_, key) => at(query, key)) };
}
