// @ts-check
// The words of a text as the user wrote them, with the tokens of each.

/**
 * @typedef {import("./data.js").Text} Text
 *
 * @typedef {object} Word A stretch of the text without whitespace.
 * @property {{text: string, position: number | null}[]} fragments Parts of the text, each with the position of
 *   its token; null if no token has it.
 * @property {number[]} positions Its tokens.
 * @property {number} sentence 0 or 1
 */

const LONGEST_REST = 120; // characters to show of a text that was cut

/** Return the words of a text. A token without a place in the text, such as [CLS], is a word without fragments. */
export const wordsOf = (/** @type {Text} */ text) => new WordReader(text).words;

class WordReader {
  constructor(/** @type {Text} */ text) {
    /** @type {Word[]} */
    this.words = [];
    this.sentences = [text.text, text.pair ?? ""];
    this.ends = [0, 0]; // how much of each sentence has been read
    /** @type {Word | null} */
    this.word = null; // what the next fragment continues
    let last = 0;
    text.tokens.forEach((_, position) => {
      const sentence = text.sentences[position] ?? 0;
      if (sentence !== last) this.readRest(last);
      last = sentence;
      this.readToken(position, sentence, text.spans[position]);
    });
    this.readRest(last);
  }

  readToken(
    /** @type {number} */ position,
    /** @type {number} */ sentence,
    /** @type {[number, number] | null} */ span,
  ) {
    if (!span) {
      this.begin(sentence).positions.push(position);
      this.word = null;
      return;
    }
    this.readTo(span[0], sentence, null);
    this.readTo(span[1], sentence, position);
    (this.word ?? this.begin(sentence)).positions.push(position);
  }

  /** Read up to a place in a sentence, as a part of a token or as text between tokens. */
  readTo(/** @type {number} */ end, /** @type {number} */ sentence, /** @type {number | null} */ position) {
    for (const part of this.sentences[sentence].slice(this.ends[sentence], end).split(/(\s+)/u)) {
      if (part.trim()) (this.word ?? this.begin(sentence)).fragments.push({ text: part, position });
      else if (part) this.word = null;
    }
    this.ends[sentence] = Math.max(this.ends[sentence], end);
  }

  /** Read the rest of a sentence, which has no tokens, such as the part of a text that was cut. */
  readRest(/** @type {number} */ sentence) {
    const rest = this.sentences[sentence].slice(this.ends[sentence]).trim();
    const shown = rest.length > LONGEST_REST ? `${rest.slice(0, LONGEST_REST)}…` : rest;
    if (rest) this.begin(sentence).fragments.push({ text: shown, position: null });
    this.word = null;
  }

  begin(/** @type {number} */ sentence) {
    this.word = { fragments: [], positions: [], sentence };
    this.words.push(this.word);
    return this.word;
  }
}
