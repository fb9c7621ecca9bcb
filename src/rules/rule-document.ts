import type { ActionDocument } from '../action/action-document.js';
import type { ConditionDocument } from './condition-document.js';
import type { EffectiveDocument } from './effective.js';

/** One rule as the loader has read it: sound, with its defaults filled in. Plain JSON. */
export interface RuleDocument {
  /** Unique in the rule set. */
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly effective?: EffectiveDocument;
  /** Event types and patterns. */
  readonly trigger: readonly string[];
  readonly conditions: ConditionDocument;
  /** 1 or more; higher first. */
  readonly priority: number;
  readonly actions: readonly ActionDocument[];
}
