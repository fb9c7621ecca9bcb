import Table from 'cli-table3';
import { printable } from '../config/terminal-text.js';
import type { FieldDefinition } from '../events/catalogue.js';
import type { ConditionDocument, LeafDocument } from '../rules/condition-document.js';
import { referenceIn } from '../rules/condition-document.js';
import type { LookupDocument } from '../rules/lookup-document.js';
import { parseOperator } from '../rules/operators.js';
import type { Rule, RuleSet } from '../rules/rule-set.js';
import { inColour, pc } from './colours.js';
import { withInstallation } from './installation.js';
import { refuse } from './refuse.js';
import { loadRuleSet, rulesFolder } from './rules-folder.js';

export interface ShowOptions {
  /** The rules folder; the default is that of the settings. */
  readonly rules?: string | undefined;
  /** The rule set that is live, instead of the files on disk. */
  readonly live: boolean;
  readonly json: boolean;
}

/** `aftersign rules show [name]`: each rule as a plain table. Exit code 1 when there is no such rule or no sound set. */
export async function showRules(name: string | undefined, options: ShowOptions): Promise<number> {
  const ruleSet = options.live
    ? await withInstallation(async ({ ruleSets }) => await ruleSets.current())
    : await loadRuleSet(rulesFolder(options.rules));
  if (!ruleSet) {
    if (options.live) process.stderr.write('No rule set is live.\n');
    return 1;
  }
  const rules = ruleSet.rules.filter((rule) => name === undefined || rule.name === name);
  if (name !== undefined && rules.length === 0) {
    const names = ruleSet.rules.map((rule) => rule.name);
    return refuse('RULE_UNKNOWN', `there is no rule "${name}"; there are ${names.join(', ') || 'none'}`);
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ruleSet: ruleSet.hash, rules: rules.map(({ document }) => document), lookups: lookupsOf(rules, ruleSet) })}\n`
      : `${rules.map((rule) => tableOf(rule, ruleSet)).join('\n\n')}\n`,
  );
  return 0;
}

/** The look-ups that the rules read, by name; in the order of the file. */
function lookupsOf(rules: readonly Rule[], { lookups }: RuleSet): Record<string, LookupDocument> {
  const read = new Set(
    rules.flatMap((rule) => [...(rule.lookups?.conditions ?? []), ...(rule.lookups?.templates ?? [])]),
  );
  // What one look-up needs of another is read too; a set grows while it is walked through.
  for (const name of read) for (const needed of lookups.get(name)?.needs ?? []) read.add(needed);
  return Object.fromEntries(
    [...lookups.values()].filter(({ name }) => read.has(name)).map(({ name, document }) => [name, document]),
  );
}

function tableOf(rule: Rule, ruleSet: RuleSet): string {
  const { catalogue, conditions } = ruleSet;
  const table = new Table({
    style: { head: [], border: inColour ? ['gray'] : [] },
    wordWrap: true,
    colWidths: [12, Math.max(48, (process.stdout.columns || 100) - 16)],
  });
  const { document } = rule;
  const lookups = Object.entries(lookupsOf([rule], ruleSet)).map(
    ([name, lookup]) => `${name}: ${lookup.type} ${lookup.type === 'http' ? lookup.url : lookup.id}`,
  );
  const about = [
    rule.file,
    ...(rule.owner ? [`owner ${rule.owner}`] : []),
    `priority ${rule.priority}`,
    ...Object.entries(rule.labels).map(([key, value]) => `${key}=${value}`),
  ];
  table.push(
    [
      'rule 规则',
      `${pc.bold(rule.name)}${rule.enabled ? '' : pc.yellow('  disabled 已停用')}${rule.description ? `\n${printable(rule.description)}` : ''}`,
    ],
    ['file 文件', printable(about.join(' · '))],
    ['when 触发', rule.trigger.map((one) => labelled(one, catalogue.find(one)?.label)).join('\n')],
    ['if 条件', linesOf(document.conditions, rule, ruleSet, conditions, 0).join('\n')],
    ...(lookups.length > 0 ? [['ask 查询', lookups.map(printable).join('\n')]] : []),
    ['then 动作', document.actions.map((action) => printable(summaryOf(action))).join('\n')],
  );
  return table.toString();
}

function labelled(text: string, label: { readonly zh: string; readonly en: string } | undefined): string {
  return label ? `${text}\n\u00a0\u00a0${pc.cyan(`${label.zh} / ${label.en}`)}` : text;
}

const GROUPS = { all: 'all of 全部满足', any: 'any of 任一满足', not: 'not 不满足' };

function linesOf(
  condition: ConditionDocument,
  rule: Rule,
  ruleSet: RuleSet,
  named: ReadonlyMap<string, ConditionDocument>,
  depth: number,
): string[] {
  // The table takes plain spaces away where it breaks lines.
  const indent = '\u00a0\u00a0'.repeat(depth);
  const below = (one: ConditionDocument): string[] => linesOf(one, rule, ruleSet, named, depth + 1);
  if ('condition' in condition) {
    const meant = named.get(condition.condition);
    return [`${indent}condition 命名条件 ${pc.bold(condition.condition)}`, ...(meant ? below(meant) : [])];
  }
  const title = 'name' in condition && condition.name ? `  (${printable(condition.name)})` : '';
  if ('all' in condition) return [`${indent}${GROUPS.all}${title}`, ...condition.all.flatMap(below)];
  if ('any' in condition) return [`${indent}${GROUPS.any}${title}`, ...condition.any.flatMap(below)];
  if ('not' in condition) return [`${indent}${GROUPS.not}${title}`, ...below(condition.not)];
  return [`${indent}${leafLine(condition, rule, ruleSet)}`];
}

function leafLine(leaf: LeafDocument, rule: Rule, ruleSet: RuleSet): string {
  const types = rule.trigger.flatMap((pattern) => ruleSet.catalogue.matching(pattern));
  const field = types
    .map(({ eventType }) => ruleSet.fieldOf(eventType, leaf.fact))
    .find((one) => one !== null);
  const operator = parseOperator(leaf.operator)?.base.label;
  const fact = printable(leaf.path ? `${leaf.fact} ${leaf.path}` : leaf.fact);
  return [
    `${fact}${field ? ` ${pc.cyan(field.label.zh)}` : ''}`,
    `${leaf.operator}${operator ? ` ${pc.cyan(operator.zh)}` : ''}`,
    valueOf(leaf.value, field),
  ].join('  ');
}

function valueOf(value: unknown, field: FieldDefinition | undefined): string {
  const other = referenceIn(value);
  if (other) return `fact 事实 ${printable(other.path ? `${other.fact} ${other.path}` : other.fact)}`;
  if (Array.isArray(value)) return value.map((one) => valueOf(one, field)).join(', ');
  const label = field?.enum?.find((one) => one.value === value)?.label;
  return `${printable(JSON.stringify(value))}${label ? ` ${pc.cyan(`${label.zh} / ${label.en}`)}` : ''}`;
}

function summaryOf(action: Rule['document']['actions'][number]): string {
  switch (action.type) {
    case 'http':
      return `${action.name}: ${action.method} ${action.url}`;
    case 'email':
      return `${action.name}: e-mail 邮件 to ${action.to.join(', ')}: ${action.subject}`;
    case 'feishu-bot':
      return `${action.name}: Feishu bot 飞书机器人 ${action.url}: ${messageOf(action)}`;
    case 'feishu-message': {
      const receivers = Object.entries(action.to).map(([kind, id]) => `${kind} ${id}`);
      return `${action.name}: Feishu message 飞书消息 to ${receivers.join(', ')}: ${messageOf(action)}`;
    }
  }
}

function messageOf({ text }: { readonly text?: string | undefined }): string {
  return text ?? 'a card 卡片';
}
