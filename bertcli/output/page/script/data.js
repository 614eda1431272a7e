// @ts-check
// The data in the page: JSON about the model and each text, and the arrays of each layer, inflated on first use.

/**
 * @typedef {object} Attribution
 * @property {string} target
 * @property {string} method
 * @property {(number | null)[]} values For each token.
 * @property {number | null} gap How much the values differ from the whole change.
 * @property {number} logprob
 *
 * @typedef {object} Mask
 * @property {number} position
 * @property {{token: string, score: number, sequence: string}[]} predictions
 * @property {Attribution[]} [attributions]
 * @property {{target: string, values: (number | null)[][], logprob: number}} [headEffects] layers x heads
 *
 * @typedef {object} Text
 * @property {number} number Place among the texts of the page.
 * @property {number} size Number of tokens.
 * @property {string} text
 * @property {string | null} pair
 * @property {boolean} truncated
 * @property {string[]} tokens
 * @property {number[]} sentences 0 or 1 for each token of a pair of sentences; empty for a single text.
 * @property {([number, number] | null)[]} [spans] Where each token starts and ends in its sentence, in UTF-16 units;
 *   null for a token without a place.
 * @property {number[][]} statistics For each head, by layer * heads + head, in the order of about.statistics.
 * @property {(string | null)[]} labels For each head.
 * @property {Mask[]} masks
 * @property {Encoding} weights
 *
 * @typedef {{bits: number, law: "linear" | "root"}} Encoding How steps encode weights, see Matrix.
 *
 * @typedef {object} Layer
 * @property {Encoding} encoding
 * @property {number} size
 * @property {Float32Array} maxima heads x size
 * @property {Uint8Array | Uint16Array} steps heads x size x size
 *
 * @typedef {object} Vectors
 * @property {(head: number, position: number) => Float32Array} query
 * @property {(head: number, position: number) => Float32Array} key
 */

export const about = JSON.parse(document.getElementById("about").textContent);

/** Return the number of a layer in the model. layer: Its place among those of the page, which may hold only some. */
export const layerName = (/** @type {number} */ layer) => about.layerNumbers?.[layer] ?? layer;

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

/** Return the bytes of a base64 text. Uint8Array.fromBase64 is the fastest way, but not every browser has it. */
function bytesOf(/** @type {string} */ base64) {
  const native = /** @type {any} */ (Uint8Array).fromBase64;
  if (native) return native.call(Uint8Array, base64);
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

async function inflated(id) {
  const holder = document.getElementById(id);
  if (!holder) return null;
  const stream = new Blob([bytesOf(holder.textContent)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

const keptArrays = new Map();

// Return a promise of the parsed array buffer with this id, or of null if the page does not contain it.
function kept(id, parse) {
  const known = keptArrays.get(id);
  keptArrays.delete(id);
  const promise =
    known ?? inflated(id).then((buffer) => ({ parts: buffer && parse(buffer), bytes: buffer?.byteLength ?? 0 }));
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

const stepsOf = (/** @type {Encoding} */ { bits }, buffer, /** @type {number} */ from) =>
  bits === 8 ? new Uint8Array(buffer, from) : new Uint16Array(buffer, from);

/**
 * Return the weights of all heads of a layer.
 *
 * @returns {Promise<Layer>}
 */
export function layerOf(/** @type {Text} */ text, /** @type {number} */ layer) {
  const { size, weights: encoding } = text;
  const rows = about.heads * size;
  return kept(`attention-${text.number}-${layer}`, (buffer) => {
    return { encoding, size, steps: stepsOf(encoding, buffer, 4 * rows), maxima: new Float32Array(buffer, 0, rows) };
  });
}

/**
 * Return the rollout through a layer, or null if the page does not contain it. For a long text the page contains only
 * the rollout through all layers.
 *
 * @returns {Promise<Matrix | null>}
 */
export function rolloutOf(/** @type {Text} */ text, /** @type {number} */ layer) {
  const { size, weights: encoding } = text;
  return kept(`rollout-${text.number}-${layer}`, (buffer) =>
    new Matrix(encoding, size, stepsOf(encoding, buffer, 4 * size), new Float32Array(buffer, 0, size)));
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
      const scale = maxima[row] / about.vectorSteps;
      return Float32Array.from(
        steps.subarray(row * about.headSize, (row + 1) * about.headSize),
        (step) => step * scale,
      );
    };
    return {
      query: (head, position) => vector(head * text.size + position),
      key: (head, position) => vector(rows + head * text.size + position),
    };
  });
}

/** Return the weights of one head. */
export function headMatrix(/** @type {Layer} */ { encoding, size, steps, maxima }, /** @type {number} */ head) {
  return new Matrix(encoding, size, steps.subarray(head * size * size, (head + 1) * size * size),
    maxima.subarray(head * size, (head + 1) * size));
}

// The share of the largest weight of a row that a step means, from step / (the largest step).
const LAWS = {
  linear: { shareOf: (/** @type {number} */ part) => part, partOf: (/** @type {number} */ share) => share },
  root: { shareOf: (/** @type {number} */ part) => part * part, partOf: Math.sqrt },
};

/** A square matrix whose rows are computed on first use. */
export class RowMatrix {
  constructor(/** @type {number} */ size) {
    this.size = size;
    /** @type {Float32Array[]} */
    this.rows = new Array(size);
  }

  /** Return the weights from a query to all keys. */
  row(/** @type {number} */ query) {
    return (this.rows[query] ??= this.compute(query));
  }

  at(/** @type {number} */ query, /** @type {number} */ key) {
    return this.row(query)[key];
  }

  /**
   * Return the distance from a stored weight to the next larger one that the page can store. A weight that is stored as
   * 0 is smaller than the distance of 0.
   */
  precision(/** @type {number} */ _query, _weight = 0) {
    return 0;
  }

  /** @returns {Float32Array} The weights from a query to all keys. */
  compute(/** @type {number} */ _query) {
    throw new Error("each kind of matrix computes its rows");
  }
}

/** The weights of a head, or a rollout, as the page stores them. */
export class Matrix extends RowMatrix {
  /**
   * @param {Encoding} encoding How a step encodes a weight.
   * @param {number} size
   * @param {Uint8Array | Uint16Array} steps size x size
   * @param {Float32Array} maxima The largest weight of each row.
   */
  constructor({ bits, law }, size, steps, maxima) {
    super(size);
    this.steps = steps;
    this.maxima = maxima;
    this.law = LAWS[law];
    this.most = 2 ** bits - 1;
  }

  compute(/** @type {number} */ query) {
    const { size, steps, most } = this;
    const { shareOf } = this.law;
    const max = this.maxima[query];
    const weights = new Float32Array(size);
    for (let key = 0, from = query * size; key < size; key++) weights[key] = max * shareOf(steps[from + key] / most);
    return weights;
  }

  precision(/** @type {number} */ query, weight = 0) {
    const { most, law } = this;
    const max = this.maxima[query];
    const step = max > 0 ? Math.round(law.partOf(weight / max) * most) : 0;
    return max * (law.shareOf((step + 1) / most) - law.shareOf(step / most));
  }
}
