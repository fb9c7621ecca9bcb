/** What is asked of a text: whether it is one of these, begins or ends with one, or has one in it. */
export interface TextWords {
  readonly equal: readonly string[];
  readonly begins: readonly string[];
  readonly ends: readonly string[];
  readonly parts: readonly string[];
}

export interface TextClasses {
  /** Of each kind of text the shortest ones, as many as are wanted or as there are. */
  readonly texts: readonly string[];
  /** There are no other kinds; else it was too much to tell. */
  readonly complete: boolean;
  readonly steps: number;
}

const MOST_STATES = 4000;
const MOST_CLASSES = 300;
const MOST_WORDS = 30;
/** Stands for all characters that no word has. */
const OTHERS = ['x', 'z', '-', '0', ' ', '\u00b7', '\ufffd'];

interface TrieNode {
  readonly next: Map<string, TrieNode>;
  isEqual: boolean;
  /** Bits of the words that a text which comes by here begins with. */
  begins: number;
}

/**
 * Texts of every kind that the words tell apart, `count` of each: the words' automata are run side by side, over the
 * characters of the words and one other.
 */
export function textClasses(words: TextWords, count: number): TextClasses {
  const all = [...words.equal, ...words.begins, ...words.ends, ...words.parts];
  const tooMany = Math.max(words.begins.length, words.ends.length, words.parts.length) > MOST_WORDS;
  if (tooMany || !all.every((word) => word.isWellFormed())) return { texts: all, complete: false, steps: 1 };
  const characters = [...new Set(all.flatMap((word) => Array.from(word)))];
  const other = OTHERS.find((one) => !characters.includes(one)) ?? unusedCharacter(characters);
  return new TextSearch(words, [...characters, other], count).run();
}

function unusedCharacter(used: readonly string[]): string {
  let code = 0x4e00;
  while (used.includes(String.fromCodePoint(code))) code += 1;
  return String.fromCodePoint(code);
}

/** Where all automata stand after a text. */
interface TextState {
  readonly text: string;
  /** Null: the text is no longer the start of any word. */
  readonly trie: TrieNode | null;
  readonly begins: number;
  readonly inner: number;
  readonly seen: number;
}

class TextSearch {
  private readonly root: TrieNode = { next: new Map(), isEqual: false, begins: 0 };
  private readonly inner: WordAutomaton;
  /** How many texts have come to a state. */
  private readonly states = new Map<string, number>();
  private readonly classes = new Map<string, string[]>();
  private readonly queue: TextState[] = [];
  private steps = 0;

  constructor(
    words: TextWords,
    private readonly alphabet: readonly string[],
    private readonly count: number,
  ) {
    for (const word of words.equal) this.nodeOf(word).isEqual = true;
    words.begins.forEach((word, at) => {
      this.nodeOf(word).begins |= 1 << at;
    });
    this.inner = new WordAutomaton(words.ends, words.parts);
  }

  run(): TextClasses {
    const hasInner = this.inner.size > 1;
    this.reach({
      text: '',
      trie: this.root,
      begins: this.root.begins,
      inner: 0,
      seen: this.inner.partsAt(0),
    });
    for (let at = 0; at < this.queue.length; at += 1) {
      const state = this.queue[at];
      if (!state) break;
      if (this.states.size > MOST_STATES || this.classes.size > MOST_CLASSES) return this.result(false);
      // Whatever comes behind it is of the same kind.
      if (!state.trie && !hasInner && this.count === 1) continue;
      for (const character of this.alphabet) this.follow(state, character);
    }
    return this.result(true);
  }

  private follow(state: TextState, character: string): void {
    this.steps += 1;
    const trie = state.trie?.next.get(character) ?? null;
    const inner = this.inner.after(state.inner, character);
    this.reach({
      text: state.text + character,
      trie,
      begins: state.begins | (trie?.begins ?? 0),
      inner,
      seen: state.seen | this.inner.partsAt(inner),
    });
  }

  private reach(state: TextState): void {
    const { trie, begins, inner, seen, text } = state;
    // A text that is still the start of a word is the only one that comes to its node.
    const key = trie ? `=${text}` : `${begins} ${inner} ${seen}`;
    const before = this.states.get(key) ?? 0;
    if (before >= this.count) return;
    this.states.set(key, before + 1);
    this.queue.push(state);
    const kind = `${trie?.isEqual ? text : ''} ${trie?.isEqual === true} ${begins} ${this.inner.endsAt(inner)} ${seen}`;
    const known = this.classes.get(kind);
    if (!known) this.classes.set(kind, [text]);
    else if (known.length < this.count) known.push(text);
  }

  private nodeOf(word: string): TrieNode {
    let node = this.root;
    for (const character of word) {
      let next = node.next.get(character);
      if (!next) {
        next = { next: new Map(), isEqual: false, begins: 0 };
        node.next.set(character, next);
      }
      node = next;
    }
    return node;
  }

  private result(complete: boolean): TextClasses {
    return { texts: [...this.classes.values()].flat(), complete, steps: 1 + this.steps / 8 };
  }
}

interface WordNode {
  readonly next: Map<string, number>;
  fallback: number;
  ends: number;
  parts: number;
}

/** Finds the words in a text, and those that it ends with, in one pass (Aho and Corasick). */
class WordAutomaton {
  private readonly nodes: WordNode[] = [{ next: new Map(), fallback: 0, ends: 0, parts: 0 }];

  constructor(ends: readonly string[], parts: readonly string[]) {
    ends.forEach((word, at) => {
      this.nodeOf(word).ends |= 1 << at;
    });
    parts.forEach((word, at) => {
      this.nodeOf(word).parts |= 1 << at;
    });
    this.link();
  }

  get size(): number {
    return this.nodes.length;
  }

  after(from: number, character: string): number {
    let at = from;
    for (;;) {
      const next = this.nodes[at]?.next.get(character);
      if (next !== undefined) return next;
      if (at === 0) return 0;
      at = this.nodes[at]?.fallback ?? 0;
    }
  }

  /** Bits of the words that a text ends with. */
  endsAt(at: number): number {
    return this.nodes[at]?.ends ?? 0;
  }

  /** Bits of the words that have just been found. */
  partsAt(at: number): number {
    return this.nodes[at]?.parts ?? 0;
  }

  private nodeOf(word: string): WordNode {
    let at = 0;
    for (const character of word) {
      let next = this.nodes[at]?.next.get(character);
      if (next === undefined) {
        next = this.nodes.length;
        this.nodes.push({ next: new Map(), fallback: 0, ends: 0, parts: 0 });
        this.nodes[at]?.next.set(character, next);
      }
      at = next;
    }
    return this.nodes[at] as WordNode;
  }

  private link(): void {
    const queue = [0];
    for (const at of queue) {
      const node = this.nodes[at];
      for (const [character, next] of node?.next ?? []) {
        const below = this.nodes[next];
        if (!node || !below) continue;
        below.fallback = at === 0 ? 0 : this.after(node.fallback, character);
        const fallback = this.nodes[below.fallback];
        below.ends |= fallback?.ends ?? 0;
        below.parts |= fallback?.parts ?? 0;
        queue.push(next);
      }
    }
  }
}
