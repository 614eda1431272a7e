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

// weights: heads x size x size steps. maxima: heads x size. A weight is step / 255 times the maximum of its row.
function layerOf(text, layer) {
  const { size } = text;
  const rows = about.heads * size;
  return kept(`attention-${text.number}-${layer}`, (buffer) => {
    return { size, maxima: new Float32Array(buffer, 0, rows), weights: new Uint8Array(buffer, 4 * rows) };
  });
}

// Return the rollout through a layer as a matrix, or null if the page does not contain it. For a long text the page
// contains only the rollout through all layers.
function rolloutOf(text, layer) {
  return kept(`rollout-${text.number}-${layer}`, (buffer) =>
    matrixOf(text.size, new Uint8Array(buffer, 4 * text.size), new Float32Array(buffer, 0, text.size)));
}

// Return the query and key vectors, or null if the page does not contain them.
function vectorsOf(text, layer) {
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

// Return the square matrix of one head: `at(query, key)` is a weight.
function headMatrix(layer, head) {
  const { size } = layer;
  return matrixOf(size, layer.weights.subarray(head * size * size, (head + 1) * size * size),
    layer.maxima.subarray(head * size, (head + 1) * size));
}

function matrixOf(size, steps, maxima) {
  const scale = 1 / about.steps.weights;
  return { size, steps, maxima, at: (query, key) => steps[query * size + key] * maxima[query] * scale };
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
  return positions.map((query) => positions.map((key) => matrix.at(query, key)));
}
