import Table from 'cli-table3';
import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import type { RuleTable } from '../console/api/rule-sets.schema.js';
import { lookupDocumentsOf, ruleTable } from '../console/api/rule-table.js';
import type { RuleSet } from '../rules/rule-set.js';
import type { RuleMode } from '../rules/shadow.js';
import { type Language, LANGUAGES } from '../rules/sentence/language.js';
import { mainPartOf } from '../rules/sentence/rule-sentence.js';
import { documentOf, sentencesOf } from '../rules/sentence/said-set.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { inColour, pc } from './colours.js';
import { print } from './output.js';
import { progressOn } from './progress.js';
import { refuse } from './refuse.js';
import { loadRuleSet, rulesFolder } from './rules-folder.js';

export interface ShowOptions extends AdminPlace {
  /** The rules folder; the default is that of the settings. */
  readonly rules?: string | undefined;
  /** The rule set that is live, instead of the files on disk. */
  readonly live: boolean;
  readonly json: boolean;
  /** Of the sentences; absent: both. */
  readonly lang?: Language | undefined;
}

/** What is told of a rule. */
interface ShownRule {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly mode: RuleMode;
  readonly shadowOf: string | null;
  readonly priority: number;
  readonly file: string;
  readonly document: object;
  readonly lookupDocuments: Readonly<Record<string, unknown>>;
  readonly table: RuleTable;
  readonly sentence: { readonly zh: string; readonly en: string };
}

/** Asked for at once. */
const TOGETHER = 8;

/** `aftersign rules show [name]`: each rule as two sentences and a plain table. Exit code 1 when there is no such rule or no sound set. */
export async function showRules(name: string | undefined, options: ShowOptions): Promise<number> {
  if (options.server !== undefined && !options.live) {
    process.stderr.write('error: a service has the live rule set only: --server goes with --live\n');
    return 2;
  }
  if (options.live)
    return await withAdmin(options, async ({ ruleSets }) => {
      const { ruleSet, items } = await ruleSets.rules();
      if (ruleSet === null) return noneLive();
      const names = name === undefined ? items.map((one) => one.name) : [name];
      return await show(ruleSet, await liveRules(ruleSets, names), options);
    });
  const ruleSet = await loadRuleSet(rulesFolder(options.rules));
  if (!ruleSet) return 1;
  const rules = rulesOf(ruleSet).filter((rule) => name === undefined || rule.name === name);
  if (name !== undefined && rules.length === 0) {
    const names = ruleSet.rules.map((rule) => rule.name);
    return refuse('RULE_UNKNOWN', `there is no rule "${name}"; there are ${names.join(', ') || 'none'}`);
  }
  return await show(ruleSet.hash, rules, options);
}

function noneLive(): 1 {
  process.stderr.write('No rule set is live.\n');
  return 1;
}

async function liveRules(ruleSets: Admin['ruleSets'], names: readonly string[]): Promise<ShownRule[]> {
  const progress = progressOn(process.stderr, { doing: 'reading', done: 'read', what: 'rules' });
  const rules: ShownRule[] = [];
  try {
    for (let at = 0; at < names.length; at += TOGETHER) {
      const some = names.slice(at, at + TOGETHER);
      rules.push(...(await Promise.all(some.map((name) => ruleSets.rule(name)))));
      if (names.length > TOGETHER) progress.step(rules.length, names.length);
    }
  } finally {
    progress.end();
  }
  const sets = new Set(rules.map((rule) => ('ruleSet' in rule ? rule.ruleSet : '')));
  if (sets.size > 1)
    throw new Refusal(409, 'RULES_CHANGING', 'Another rule set became live in between: ask again.');
  return rules;
}

function rulesOf(ruleSet: RuleSet): ShownRule[] {
  return ruleSet.rules.map((rule) => {
    const { name, description, owner, labels, enabled, mode, shadowOf, priority, file, document } = rule;
    const lookupDocuments = lookupDocumentsOf([rule], ruleSet);
    const table = ruleTable(rule, ruleSet);
    const sentence = sentencesOf(documentOf(rule), ruleSet);
    return {
      name,
      description,
      owner,
      labels,
      enabled,
      mode,
      shadowOf,
      priority,
      file,
      document,
      lookupDocuments,
      table,
      sentence,
    };
  });
}

async function show(
  ruleSet: string,
  rules: readonly ShownRule[],
  { json, lang }: ShowOptions,
): Promise<number> {
  const languages = lang === undefined ? LANGUAGES : [lang];
  const lookups = Object.assign({}, ...rules.map((one) => one.lookupDocuments)) as object;
  const sentences = rules.map(({ name, sentence: { zh, en } }) => ({ name, zh, en }));
  // The long texts of all rules, in both languages, would be no reading.
  const shown = rules.length === 1 ? (sentence: string) => sentence : mainPartOf;
  await print(
    json
      ? `${JSON.stringify({ ruleSet, rules: rules.map(({ document }) => document), lookups, sentences })}\n`
      : `${rules.map((rule) => `${languages.map((language) => printableLines(shown(rule.sentence[language]))).join('\n\n')}\n\n${tableOf(rule)}`).join('\n\n')}\n`,
  );
  return 0;
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function shadowMark({ mode, shadowOf }: Pick<ShownRule, 'mode' | 'shadowOf'>): string {
  if (mode === 'live') return '';
  return pc.magenta(`  shadow 影子${shadowOf === null ? '' : ` of 对照 ${printable(shadowOf)}`}`);
}

function tableOf({ table: lines, ...rule }: ShownRule): string {
  const table = new Table({
    style: { head: [], border: inColour ? ['gray'] : [] },
    wordWrap: true,
    colWidths: [12, Math.max(48, (process.stdout.columns || 100) - 16)],
  });
  const about = [
    rule.file,
    ...(rule.owner ? [`owner ${rule.owner}`] : []),
    `priority ${rule.priority}`,
    ...Object.entries(rule.labels).map(([key, value]) => `${key}=${value}`),
  ];
  const asked = lines.lookups.map(({ name, text }) => printable(`${name}: ${text}`));
  table.push(
    [
      'rule 规则',
      `${pc.bold(printable(rule.name))}${rule.enabled ? '' : pc.yellow('  disabled 已停用')}${shadowMark(rule)}${rule.description ? `\n${printable(rule.description)}` : ''}`,
    ],
    ['file 文件', printable(about.join(' · '))],
    ['when 触发', lines.trigger.map(({ text, label }) => labelled(printable(text), label)).join('\n')],
    ['if 条件', lines.conditions.map(conditionLine).join('\n')],
    ...(asked.length > 0 ? [['ask 查询', asked.join('\n')]] : []),
    ...(lines.actions.length > 0 ? [['then 动作', lines.actions.map(actionText).join('\n')]] : []),
    ...(lines.steps.length > 0
      ? [
          [
            'steps 升级',
            lines.steps
              .map(({ name, after, actions }) =>
                [
                  pc.bold(printable(name === after ? after : `${name} (${after})`)),
                  ...actions.map((action) => `\u00a0\u00a0${actionText(action)}`),
                ].join('\n'),
              )
              .join('\n'),
          ],
        ]
      : []),
    ...(lines.timing.length > 0
      ? [
          [
            'time 时间',
            lines.timing
              .map(({ label, text }) => `${label.en} ${pc.cyan(label.zh)}  ${printable(text)}`)
              .join('\n'),
          ],
        ]
      : []),
  );
  return table.toString();
}

function actionText({ name, kind, text }: RuleTable['actions'][number]): string {
  return printable(`${name}: ${kindText(kind)}${text}`);
}

type Label = RuleTable['trigger'][number]['label'];

function labelled(text: string, label: Label): string {
  return label ? `${text}\n\u00a0\u00a0${pc.cyan(`${label.zh} / ${label.en}`)}` : text;
}

const GROUPS = { all: 'all of 全部满足', any: 'any of 任一满足', not: 'not 不满足' } as const;

function conditionLine({ depth, kind, name, parts }: RuleTable['conditions'][number]): string {
  // The table takes plain spaces away where it breaks lines.
  const indent = '\u00a0\u00a0'.repeat(depth);
  if (kind === 'named') return `${indent}condition 命名条件 ${pc.bold(printable(name ?? ''))}`;
  if (kind !== 'leaf') return `${indent}${GROUPS[kind]}${name ? `  (${printable(name)})` : ''}`;
  const [fact, operator, ...values] = parts;
  const short = (part: (typeof parts)[number] | undefined): string =>
    part ? `${printable(part.text)}${part.label ? ` ${pc.cyan(part.label.zh)}` : ''}` : '';
  const value = values.map(
    ({ text, label }) => `${printable(text)}${label ? ` ${pc.cyan(`${label.zh} / ${label.en}`)}` : ''}`,
  );
  return `${indent}${[short(fact), short(operator), value.join(', ')].join('  ')}`;
}

function kindText(kind: string): string {
  switch (kind) {
    case 'email':
      return 'e-mail 邮件 ';
    case 'feishu-bot':
      return 'Feishu bot 飞书机器人 ';
    case 'feishu-message':
      return 'Feishu message 飞书消息 ';
    default:
      return '';
  }
}
