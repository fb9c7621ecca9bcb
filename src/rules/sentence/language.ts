import type { Catalogue, FieldDefinition } from '../../events/catalogue.js';

export type Language = 'zh' | 'en';

export const LANGUAGES: readonly Language[] = ['zh', 'en'];

/** The same in both languages. */
export type Texts = Readonly<Record<Language, string>>;

/** Where the words of a sentence come from that are for the reader only: a RuleSet fits. */
export interface SentenceWords {
  readonly catalogue: Catalogue;
  /** What is known of a fact of an event. */
  fieldOf(eventType: string, fact: string): FieldDefinition | null;
}

/** How a sentence is written. */
export interface Wording {
  readonly language: Language;
  readonly words: SentenceWords;
  /** Those whose facts are meant: labels are taken from the first one that knows a fact. */
  readonly eventTypes: readonly string[];
}
