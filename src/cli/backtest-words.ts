import type { BacktestChange } from '../rules/backtest/backtest-report.js';
import { LANGUAGES, type Language, type Texts } from '../rules/sentence/language.js';

/** What reports of back-tests say, in both languages. */
export const BACKTEST_WORDS = {
  backtest: { zh: '回测', en: 'Back-test' },
  before: { zh: '之前', en: 'before' },
  after: { zh: '之后', en: 'after' },
  added: { zh: '新增', en: 'added' },
  removed: { zh: '消失', en: 'removed' },
  changed: { zh: '内容变化', en: 'changed' },
  moved: { zh: '时间变化', en: 'moved' },
  same: { zh: '相同', en: 'same' },
  undecidable: { zh: '无法判断', en: 'undecidable' },
  rule: { zh: '规则', en: 'rule' },
  rules: { zh: '规则', en: 'rules' },
  ruleSets: { zh: '规则集', en: 'rule sets' },
  target: { zh: '目标', en: 'target' },
  targets: { zh: '目标', en: 'targets' },
  deliveries: { zh: '投递', en: 'deliveries' },
  events: { zh: '事件', en: 'events' },
  judged: { zh: '计入', en: 'judged' },
  warmUp: { zh: '预热', en: 'warm-up' },
  left: { zh: '跳过', en: 'left out' },
  undated: { zh: '无求值时间', en: 'without a time of decision' },
  window: { zh: '时间窗口', en: 'window' },
  notSent: { zh: '未发送', en: 'not sent' },
  digests: { zh: '汇总', en: 'digests' },
  unrecorded: { zh: '未记录的查询', en: 'look-ups never recorded' },
  examples: { zh: '示例', en: 'examples' },
  gates: { zh: '门槛', en: 'gates' },
  passed: { zh: '通过', en: 'passed' },
  failed: { zh: '未通过', en: 'failed' },
  nothing: { zh: '投递没有差别。', en: 'The deliveries are the same.' },
  noRule: { zh: '该规则集没有此规则', en: 'no such rule in this set' },
  notSentHere: { zh: '不发送', en: 'not sent' },
  suppressedBy: { zh: '被抑制', en: 'suppressed' },
  step: { zh: '升级步骤', en: 'step' },
  why: { zh: '原因', en: 'why' },
  request: { zh: '请求', en: 'request' },
  sentences: { zh: '规则改动', en: 'What the rules say' },
  sent: { zh: '发送', en: 'sent' },
  held: { zh: '待放行', en: 'held' },
  dead: { zh: '死信', en: 'dead' },
  waiting: { zh: '仍在等待', en: 'still waiting' },
  noOneEvent: { zh: '多个事件', en: 'of several events' },
  rejected: { zh: '不是事件的行', en: 'lines that are no events' },
  duplicates: { zh: '重复事件', en: 'duplicates' },
  disordered: { zh: '乱序', en: 'out of order' },
  undecided: { zh: '从未求值', en: 'never decided' },
} as const satisfies Readonly<Record<string, Texts>>;
export type BacktestWord = keyof typeof BACKTEST_WORDS;

export const CHANGE_MARKS: Readonly<Record<BacktestChange, string>> = {
  added: '+',
  removed: '−',
  changed: '~',
  moved: '→',
  same: '=',
  undecidable: '?',
};

/** Says a word in one language, or in both. */
export type Say = (word: BacktestWord) => string;

/** `between`: the two languages. */
export function sayIn(language: Language | undefined, between = ' '): Say {
  const languages = language === undefined ? (['en', 'zh'] as const) : [language];
  return (word) => languages.map((one) => BACKTEST_WORDS[word][one]).join(between);
}

/** The languages in which sentences are written. */
export function languagesOf(language: Language | undefined): readonly Language[] {
  return language === undefined ? LANGUAGES : [language];
}

/** Deliveries of one of the two sets. */
export function deliveriesOf(set: {
  readonly deliveries: Readonly<Record<'sent' | 'held' | 'dead' | 'waiting', number>>;
}): number {
  const { sent, held, dead, waiting } = set.deliveries;
  return sent + held + dead + waiting;
}
