import type { Notice, NoticeKind } from '../action/notice-store.js';
import { noticeLink } from './notice-link.js';
import type { NoticeText } from './owners.js';

/** What is said of a kind of notice, in both languages; `what` is the subject of it, safe to show. */
interface Wording {
  readonly head: (what: string) => string;
  readonly zh: (what: string) => string;
  readonly en: (what: string) => string;
  /** A command that shows more. */
  readonly command: string;
}

/** `rule:<name>`, or `*` of the brake over all rules. */
const braked = (subject: string, all: string): string =>
  subject === '*' ? all : subject.replace(/^rule:/, '');

const WORDINGS: Readonly<Record<NoticeKind, Wording>> = {
  'target-failing': {
    head: (what) => `target ${what} is failing 目标持续失败`,
    zh: (what) => `目标 ${what} 连续失败，熔断已打开：投递会等待并定时试探，目标恢复后自动发出。`,
    en: (what) =>
      `The target ${what} keeps failing and its breaker is open: deliveries wait, one tries now and then, and all are sent when it answers again.`,
    command: 'aftersign targets list',
  },
  'target-recovered': {
    head: (what) => `target ${what} has recovered 目标已恢复`,
    zh: (what) => `目标 ${what} 已恢复，等待中的投递正在发出。`,
    en: (what) => `The target ${what} answers again: what has waited is being sent.`,
    command: 'aftersign targets list',
  },
  'deliveries-dead': {
    head: (what) => `dead letters for ${what} 出现死信`,
    zh: (what) => `发往 ${what} 的投递已成为死信，需要人工重投或丢弃。一小时内的其他死信不再另行通知。`,
    en: (what) =>
      `A delivery to ${what} has gone dead and waits for a person, who redrives or discards it. More of them within the hour are not told again.`,
    command: 'aftersign deliveries list --state dead',
  },
  'not-rendered': {
    head: (what) => `${braked(what, '')} could not make a delivery 投递无法生成`,
    zh: (what) =>
      `规则 ${braked(what, '')} 的投递无法生成（多为缺少取值），已成为死信。修正规则后可用今天的动作重投；一小时内的其他情况不再另行通知。`,
    en: (what) =>
      `A delivery of the rule ${braked(what, '')} could not be made, mostly for want of a value, and is dead. Once the rule is mended, redrive it edited. More of them within the hour are not told again.`,
    command: 'aftersign deliveries list --state dead',
  },
  'brake-held': {
    head: (what) => `the brake holds deliveries of ${braked(what, 'all rules')} 刹车已扣住投递`,
    zh: (what) => `${braked(what, '全部规则')} 的预算已用完：之后的投递被扣住，需要人工放行或丢弃。`,
    en: (what) =>
      `The budget of ${braked(what, 'all rules together')} is spent: further deliveries are held until a person releases or discards them.`,
    command: 'aftersign deliveries list --state held',
  },
  'silence-ending': {
    head: () => 'a silence ends soon 静默即将结束',
    zh: (what) => `静默 ${what} 即将结束：此后符合条件的投递会照常发出。`,
    en: (what) => `The silence ${what} ends soon: from then on what it has kept back is sent again.`,
    command: 'aftersign silences list --state active',
  },
  'lookup-failing': {
    head: (what) => `look-up ${what} fails 查询失败`,
    zh: (what) => `查询 ${what} 没有得到结果：读取它的条件判定为未知，规则可能未执行动作。`,
    en: (what) =>
      `The look-up ${what} got no answer: conditions that read it are unknown, and rules may have done nothing.`,
    command: 'aftersign events list --verdict unknown',
  },
  'unread-value': {
    head: (what) => `values of ${what} that no rule reads 有取值无规则处理`,
    zh: (what) => `${what} 出现了没有任何规则处理的取值：这些事件不会触发任何动作。`,
    en: (what) => `${what} has values that no rule reads: nothing comes of these events.`,
    command: 'aftersign radar --kind unread-value',
  },
  'unknown-value': {
    head: (what) => `unknown values of ${what} 出现未知取值`,
    zh: (what) => `${what} 出现了目录中没有的取值：读取它的规则可能判断有误。`,
    en: (what) =>
      `${what} has values that the catalogue does not know: rules that read it may be wrong about them.`,
    command: 'aftersign radar --kind unknown-value',
  },
  'silent-rule': {
    head: (what) => `${braked(what, '')} has stopped firing 规则不再触发`,
    zh: (what) => `规则 ${braked(what, '')} 过去经常触发，如今远比往常沉默，而它监听的事件仍在到来。`,
    en: (what) =>
      `The rule ${braked(what, '')} used to fire and has been silent for far longer than ever, although what it listens to still comes in.`,
    command: 'aftersign radar --kind silent-rule',
  },
  'failing-condition': {
    head: (what) => `${braked(what, '')} never fires, by one condition 规则总差一个条件`,
    zh: (what) => `规则 ${braked(what, '')} 从未触发，且总是只差同一个条件：多为取值写错。`,
    en: (what) =>
      `The rule ${braked(what, '')} has never fired, and it is always the same single condition: mostly a value that is written wrong.`,
    command: 'aftersign radar --kind failing-condition',
  },
  'lost-events': {
    head: () => 'events were lost 有事件丢失',
    zh: () => '从现有状态看，有流程的事件没有送达。配置了应用密钥时会向平台核对并补齐；其余需要人工查看。',
    en: () =>
      'By what is known of some processes, events about them were lost. With an app secret the platform is asked and what it knows is made up for; the rest is for a person.',
    command: 'aftersign radar --kind lost-events',
  },
};

const LABELS: Readonly<Record<string, string>> = {
  attempts: 'attempts 尝试次数',
  author: 'by 操作人',
  code: 'code 代码',
  condition: 'condition 条件',
  count: 'count 数量',
  field: 'field 字段',
  held: 'held 扣住',
  max: 'at most 上限',
  per: 'in 每',
  reason: 'reason 原因',
  rule: 'rule 规则',
  since: 'since 自',
  until: 'until 截止',
};
const MOST_RULES = 10;
const LONGEST = 500;

/**
 * What a notice says: Chinese first, then English, then what is known besides. `publicUrl`: how people reach the console;
 * null: it is not known.
 */
export function noticeText(notice: Notice, createdAt: Date, publicUrl: string | null): NoticeText {
  const { kind, subject, rules, detail } = notice;
  const { head, zh, en, command } = WORDINGS[kind];
  const what = plain(subject);
  const shown = rules.slice(0, MOST_RULES).map(plain).join(', ');
  const facts = [
    ...(rules.length > 0 ? [`rules 规则: ${shown}${rules.length > MOST_RULES ? ', …' : ''}`] : []),
    ...Object.entries(detail).flatMap(([name, value]) =>
      value === null ? [] : [`${LABELS[name] ?? plain(name)}: ${plain(String(value))}`],
    ),
    `time 时间: ${createdAt.toISOString()}`,
    `more 详情: ${command}`,
    ...(publicUrl === null ? [] : [noticeLink(notice, publicUrl)]),
  ];
  return {
    kind,
    subject: `[Aftersign] ${head(what)}`,
    text: [zh(what), '', en(what), '', ...facts].join('\n'),
    detail: { ...detail, subject: plain(subject) },
  };
}

/** On one line, and without what some chat takes for a mark-up that calls everybody. */
function plain(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').replaceAll('<', '‹');
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}
