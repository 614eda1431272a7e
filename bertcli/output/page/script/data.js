// The data in the page: JSON about the model and each text, and the arrays of each layer, inflated on first use.

const about = JSON.parse(document.getElementById("about").textContent);
const KEPT_BYTES = 128 * 1024 * 1024; // of inflated layers; the least recently used are dropped first

const parsedTexts = new Map();
let textCount = 0;

function countTexts() {
  while (document.getElementById(`text-${textCount}`)) textCount += 1;
}

function textAt(number) {
  if (!parsedTexts.has(number)) {
    const text = JSON.parse(document.getElementById(`text-${number}`).textContent);
    parsedTexts.set(number, { ...text, number, size: text.tokens.length });
  }
  return parsedTexts.get(number);
}

// Return the bytes of a base64 text. Uint8Array.fromBase64 is the fastest way, but not every browser has it.
function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
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

const stepsOf = ({ bits }, buffer, from) => (bits === 8 ? new Uint8Array(buffer, from) : new Uint16Array(buffer, from));

// encoding: how steps encode weights, see Matrix. steps: heads x size x size. maxima: heads x size.
function layerOf(text, layer) {
  const { size, weights: encoding } = text;
  const rows = about.heads * size;
  return kept(`attention-${text.number}-${layer}`, (buffer) => {
    return { encoding, size, steps: stepsOf(encoding, buffer, 4 * rows), maxima: new Float32Array(buffer, 0, rows) };
  });
}

// Return the rollout through a layer as a matrix, or null if the page does not contain it. For a long text the page
// contains only the rollout through all layers.
function rolloutOf(text, layer) {
  const { size, weights: encoding } = text;
  return kept(`rollout-${text.number}-${layer}`, (buffer) =>
    new Matrix(encoding, size, stepsOf(encoding, buffer, 4 * size), new Float32Array(buffer, 0, size)));
}

// Return the query and key vectors, or null if the page does not contain them.
function vectorsOf(text, layer) {
  const rows = about.heads * text.size;
  return kept(`vectors-${text.number}-${layer}`, (buffer) => {
    const maxima = new Float32Array(buffer, 0, 2 * rows);
    const steps = new Int16Array(buffer, 8 * rows);
    const vector = (row) => {
      const scale = maxima[row] / about.vectorSteps;
      return Float32Array.from(steps.subarray(row * about.headSize, (row + 1) * about.headSize), (step) => step * scale);
    };
    return {
      query: (head, position) => vector(head * text.size + position),
      key: (head, position) => vector(rows + head * text.size + position),
    };
  });
}

// Return the Matrix of one head.
function headMatrix({ encoding, size, steps, maxima }, head) {
  return new Matrix(encoding, size, steps.subarray(head * size * size, (head + 1) * size * size),
    maxima.subarray(head * size, (head + 1) * size));
}

// The share of the largest weight of a row that a step means, from step / (the largest step).
const LAWS = {
  linear: (part) => part,
  root: (part) => part * part,
};

// A square matrix of weights. Rows are decoded on first use.
class Matrix {
  // bits, law: how a step encodes a weight. steps: size x size. maxima: the largest weight of each row.
  constructor({ bits, law }, size, steps, maxima) {
    Object.assign(this, { size, steps, maxima });
    this.shareOf = LAWS[law];
    this.most = 2 ** bits - 1;
    this.rows = new Array(size);
  }

  // Return the weights from a query to all keys, as Float32Array.
  row(query) {
    return (this.rows[query] ??= this.decoded(query));
  }

  at(query, key) {
    return this.row(query)[key];
  }

  decoded(query) {
    const { size, steps, most, shareOf } = this;
    const max = this.maxima[query];
    const weights = new Float32Array(size);
    for (let key = 0, from = query * size; key < size; key++) weights[key] = max * shareOf(steps[from + key] / most);
    return weights;
  }
}

function statisticOf(text, layer, head, name) {
  return text.statistics[layer * about.heads + head][about.statistics.indexOf(name)];
}

function labelOf(text, layer, head) {
  return text.labels[layer * about.heads + head];
}

// For use in the browser's console: (await attentionPage.matrix(layer, head))[query][key].
globalThis.attentionPage = Object.freeze({
  async matrix(layer, head, number = state.text) {
    const matrix = headMatrix(await layerOf(textAt(number), layer), head);
    return plain(matrix);
  },
  async rollout(layer = about.layers - 1, number = state.text) {
    return plain(await rolloutOf(textAt(number), layer));
  },
});

function plain(matrix) {
  const positions = Array.from({ length: matrix.size }, (_, position) => position);
  return positions.map((query) => Array.from(matrix.row(query)));
}
