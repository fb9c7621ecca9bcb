import type { Catalogue } from '../../events/catalogue.js';
import type { ConditionDocument } from '../condition-document.js';
import type { Finding } from '../finding.js';
import { type ConditionForm, ConditionReader, documentOf } from './condition-form.js';
import type { Reporter } from './fact-check.js';
import { FileReport } from './file-report.js';
import { JsonText } from './json-text.js';
import { checkLeaf } from './leaf-check.js';
import type { KnownLookups } from './lookup-files.js';
import { RuleEvents } from './rule-events.js';

/** Each delivery that is about to be made may be held against all silences. */
const MOST_LEAVES = 50;
const MOST_CHARACTERS = 20_000;

/** Look-ups come and go with rule sets: of their answers nothing is known. */
const ANY_LOOKUP: KnownLookups = {
  names: [],
  find: () => ({ field: null, more: true }),
  inputsOf: () => [],
};

export interface CheckedConditions {
  /** Null: there is an error in them. */
  readonly conditions: ConditionDocument | null;
  /** By place in the text. `file` is the name that was given. */
  readonly findings: readonly Finding[];
}

/**
 * Checks the conditions of a silence, as a text of JSON. A silence is about events of any type, so what no event type
 * of the catalogue fits is a warning; only what can never be evaluated is an error. Pure; never throws.
 */
export function checkSilenceConditions(text: string, catalogue: Catalogue, file: string): CheckedConditions {
  const json = JsonText.parse(text);
  const report = new FileReport(file, json);
  const hints = new FileReport(file, json);
  for (const { code, message, mend, ...place } of json.mistakes) report.error(place, code, message, mend);
  const { root } = json;
  if (!root) return { conditions: null, findings: report.findings };
  if (text.length > MOST_CHARACTERS)
    report.error(
      root,
      'CONDITIONS_TOO_LARGE',
      `the conditions of a silence have ${MOST_CHARACTERS} characters at most`,
      'Write several silences.',
    );
  const reader = new ConditionReader(report);
  const form = reader.readRoot(root);
  for (const { at, condition } of reader.references)
    report.error(
      at,
      'CONDITION_UNKNOWN',
      `a silence cannot use the named condition "${condition}": it comes and goes with the rule set`,
      'Write its conditions here.',
    );
  const leaves = form ? leavesOf(form) : [];
  if (leaves.length > MOST_LEAVES)
    report.error(
      root,
      'CONDITIONS_TOO_LARGE',
      `the conditions of a silence have ${MOST_LEAVES} leaves at most, and these ${leaves.length}`,
      'Write them smaller, or write several silences.',
    );
  const anyType = new RuleEvents(['*'], catalogue, ANY_LOOKUP);
  const noneKnown = new RuleEvents([], catalogue, ANY_LOOKUP);
  const error: Reporter['error'] = (...found) => {
    report.error(...found);
  };
  const hint: Reporter['warning'] = (...found) => {
    hints.warning(...found);
  };
  const nothing = (): void => undefined;
  for (const leaf of leaves) {
    reportClock(leaf, report);
    // With nothing known of its facts only its form can be wrong. What the catalogue adds to that is no more than a hint,
    // but for names that no event type will ever have.
    checkLeaf(nameless(leaf), noneKnown, json.unsafe, { error, warning: nothing, info: nothing });
    checkLeaf(leaf, anyType, json.unsafe, {
      error: (at, code, ...said) => {
        (code === 'FACT_UNKNOWN' ? error : hint)(at, code, ...said);
      },
      warning: hint,
      info: nothing,
    });
  }
  if (report.errorCount > 0 || !form) return { conditions: null, findings: report.findings };
  return { conditions: documentOf(form), findings: [...report.findings, ...hints.findings] };
}

type Leaf = Extract<ConditionForm, { kind: 'leaf' }>;

/** The leaf with facts of which the catalogue says nothing. */
function nameless(leaf: Leaf): Leaf {
  const without = (form: Leaf['fact']): Leaf['fact'] => form && { ...form, fact: 'any' };
  return { ...leaf, fact: without(leaf.fact), other: without(leaf.other) };
}

function reportClock({ fact, other }: Leaf, report: FileReport): void {
  for (const form of [fact, other]) {
    if (form?.fact.startsWith('now.') === true)
      report.error(
        form.at,
        'FACT_UNKNOWN',
        'a silence reads no clock',
        'Say when it begins and ends instead.',
      );
  }
}

function leavesOf(form: ConditionForm): Leaf[] {
  if (form.kind === 'leaf') return [form];
  return form.kind === 'condition' ? [] : form.children.flatMap(leavesOf);
}
