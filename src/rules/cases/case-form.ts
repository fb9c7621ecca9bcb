import type { FileReport } from '../check/file-report.js';
import { elementsOf, type Member, membersOf, textOf } from '../check/json-node.js';
import type { JsonNode } from '../check/json-text.js';
import { didYouMean, nearestName } from '../check/nearest-name.js';
import { dateTimeOf, momentOf } from './case-moment.js';

const INVALID = 'CASES_INVALID';
const VERDICTS = ['matched', 'not matched', 'unknown', 'error', 'skipped'];
const STATES = ['sent', 'held', 'dead'];

/**
 * Checks the form of a file of rule tests: that it can be read, and not what it says of which rules. What is wrong goes
 * to `report`. Answers the nodes of its cases.
 */
export function checkCases(root: JsonNode, report: FileReport): readonly JsonNode[] {
  return new CaseForm(report).file(root);
}

type Check = (node: JsonNode, name: string) => void;

class CaseForm {
  constructor(private readonly report: FileReport) {}

  file(root: JsonNode): readonly JsonNode[] {
    const cases = root.type === 'object' ? membersOf(root).get('cases') : undefined;
    if (cases?.value.type !== 'array') {
      const what = 'a file of rule tests must be an object with a list "cases"';
      this.report.error(cases?.value ?? root, INVALID, what, 'Write {"cases": [ … ]}.');
      return [];
    }
    this.object(root, 'a file of rule tests', [], {
      $schema: this.text,
      description: this.text,
      rules: this.ruleNames,
      now: this.dateTime,
      timezone: this.timezone,
      calendar: this.text,
      cases: () => undefined,
    });
    const names = new Set<string>();
    const nodes = elementsOf(cases.value);
    for (const node of nodes) this.case(node, names);
    return nodes;
  }

  private case(node: JsonNode, names: Set<string>): void {
    const members = this.object(node, 'a case', ['name', 'steps'], {
      name: this.text,
      description: this.text,
      rules: this.ruleNames,
      now: this.dateTime,
      steps: this.listOf((one) => {
        this.step(one);
      }, true),
      expect: this.listOf((one) => {
        this.delivery(one);
      }),
      verdicts: this.verdicts,
    });
    const name = members?.get('name')?.value;
    const text = textOf(name);
    if (name && text !== null && names.has(text))
      this.report.error(
        name,
        INVALID,
        `a case of this file is named "${text}" already`,
        'Give one of them another name.',
      );
    if (text !== null) names.add(text);
    if (!members || members.has('expect') || members.has('verdicts')) return;
    const steps = members.get('steps')?.value;
    if (steps && elementsOf(steps).some((one) => one.type === 'object' && membersOf(one).has('verdicts')))
      return;
    this.report.error(
      node,
      INVALID,
      'the case expects nothing: it has neither "expect" nor "verdicts"',
      'Add "expect", the list of what is sent; [] for nothing.',
    );
  }

  private step(node: JsonNode): void {
    const kinds = ['event', 'advance', 'lookup'];
    const given = node.type === 'object' ? kinds.filter((kind) => membersOf(node).has(kind)) : [];
    const [kind] = given;
    if (node.type === 'object' && given.length !== 1) {
      const unknown = [...membersOf(node).keys()].find((key) => !kinds.includes(key) && key !== 'type');
      const meant = given.length > 0 || unknown === undefined ? null : nearestName(unknown, kinds);
      this.report.error(
        node,
        INVALID,
        given.length === 0
          ? 'a step is an event, a time that passes, or what look-ups answer'
          : `a step is one thing, and this one is ${given.join(' and ')}`,
        meant === null
          ? 'Write {"event": {…}}, {"advance": "25h"} or {"lookup": {…}}.'
          : `Did you mean "${meant}"?`,
      );
      return;
    }
    if (kind === 'advance') this.object(node, 'a step', [], { advance: this.durationOrDateTime });
    else if (kind === 'lookup') this.object(node, 'a step', [], { lookup: this.anyObject });
    else
      this.object(node, 'a step', ['event'], {
        event: this.anyObject,
        type: this.text,
        verdicts: this.verdicts,
      });
  }

  private delivery(node: JsonNode): void {
    this.object(node, 'an expected delivery', ['rule', 'action'], {
      rule: this.text,
      action: this.text,
      step: this.text,
      at: this.durationOrDateTime,
      with: () => undefined,
      state: this.oneOf(STATES),
      code: this.text,
    });
  }

  private verdict(node: JsonNode): void {
    if (node.type !== 'object') {
      this.oneOf(VERDICTS)(node, 'verdict');
      return;
    }
    const names = this.listOf(this.text);
    this.object(node, 'a verdict', ['verdict'], {
      verdict: this.oneOf(VERDICTS),
      missing: names,
      because: names,
      cause: this.text,
      error: this.text,
      suppressed: (suppressed, name) => {
        if (this.isObject(suppressed, name))
          for (const [action, { value }] of membersOf(suppressed)) this.text(value, action);
      },
    });
  }

  /** The members of an object, each checked; null: it is none. */
  private object(
    node: JsonNode,
    what: string,
    required: readonly string[],
    checks: Readonly<Record<string, Check>>,
  ): ReadonlyMap<string, Member> | null {
    if (node.type !== 'object') {
      this.report.error(node, INVALID, `${what} must be an object`, 'Write { … }.');
      return null;
    }
    const members = membersOf(node);
    const keys = Object.keys(checks);
    for (const [key, { key: at, value }] of members) {
      const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
      if (check) check(value, key);
      else this.report.error(at, INVALID, `${what} has no key "${key}"`, () => didYouMean(key, keys));
    }
    for (const key of required)
      if (!members.has(key))
        this.report.error(node, INVALID, `"${key}" is missing in ${what}`, `Add "${key}".`);
    return members;
  }

  private isObject(node: JsonNode, name: string): boolean {
    if (node.type === 'object') return true;
    this.report.error(node, INVALID, `"${name}" must be an object`, 'Write { … }.');
    return false;
  }

  private readonly anyObject: Check = (node, name) => {
    this.isObject(node, name);
  };

  private readonly verdicts: Check = (node, name) => {
    if (this.isObject(node, name)) for (const { value } of membersOf(node).values()) this.verdict(value);
  };

  private listOf(check: Check, some = false): Check {
    return (node, name) => {
      if (node.type !== 'array' || (some && elementsOf(node).length === 0)) {
        const what = node.type === 'array' ? `"${name}" must not be empty` : `"${name}" must be a list`;
        this.report.error(node, INVALID, what, 'Write [ … ].');
      } else for (const one of elementsOf(node)) check(one, name);
    };
  }

  private readonly text: Check = (node, name) => {
    if (textOf(node) !== null && node.value !== '') return;
    this.report.error(
      node,
      INVALID,
      `"${name}" must be a text, and not an empty one`,
      'Write it in double quotes.',
    );
  };

  private readonly ruleNames: Check = (node, name) => {
    this.listOf(this.text, true)(node, name);
  };

  private oneOf(values: readonly string[]): Check {
    return (node, name) => {
      const text = textOf(node);
      if (text !== null && values.includes(text)) return;
      this.report.error(node, INVALID, `"${name}" is none of ${values.join(', ')}`, () =>
        didYouMean(text ?? '', values),
      );
    };
  }

  private readonly dateTime: Check = (node, name) => {
    const text = textOf(node);
    if (text !== null && dateTimeOf(text) !== null) return;
    const mend = 'Write it like "2026-01-05T09:00:00+08:00".';
    this.report.error(node, INVALID, `"${name}" must be a date-time with its zone`, mend);
  };

  private readonly durationOrDateTime: Check = (node, name) => {
    const text = textOf(node);
    if (text !== null && momentOf(text, 0) !== null) return;
    const what = `"${name}" must be a duration like "25h", or a date-time with its zone`;
    const isWork = text?.includes('work') === true;
    this.report.error(
      node,
      INVALID,
      isWork ? `${what}; time passes for everybody, at work or not` : what,
      'Write it like "25h", "2d" or "2026-01-05T09:00:00+08:00".',
    );
  };

  private readonly timezone: Check = (node, name) => {
    const text = textOf(node);
    try {
      if (
        text !== null &&
        new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
      )
        return;
    } catch {
      // It is none.
    }
    this.report.error(node, INVALID, `"${name}" must be an IANA time zone`, 'Write it like "Asia/Shanghai".');
  };
}
