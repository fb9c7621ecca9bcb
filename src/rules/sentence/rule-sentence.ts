import type { ActionDocument } from '../../action/action-document.js';
import type { EscalationStepDocument, RuleDocument } from '../rule-document.js';
import { SCHEDULE_TYPE } from '../rule-timing.js';
import { mayBeLast } from '../state/levels.js';
import { action } from './action-form.js';
import { conditionsOfRule } from './condition-form.js';
import { Cursor } from './cursor.js';
import { type PlacedAction, readDetails, writeDetails } from './detail-form.js';
import { duration } from './duration-form.js';
import { listOf, record } from './form.js';
import { word } from './json-form.js';
import { plainLabel } from './label.js';
import type { Language, SentenceWords, Texts, Wording } from './language.js';
import { labelled } from './place-form.js';
import { aboutClauses, mannerClauses, type SaidRule, schedule } from './timing-forms.js';

const RULE: Texts = { zh: '规则 ', en: 'Rule ' };
const DISABLED: Texts = { zh: '（已停用）', en: ' (disabled)' };
const SHADOW: Texts = { zh: '（影子模式', en: ' (in shadow mode' };
const SHADOW_OF: Texts = { zh: '，对照 ', en: ', beside ' };
const SHADOW_END: Texts = { zh: '）', en: ')' };
const COLON: Texts = { zh: '：', en: ': ' };
const WHEN: Texts = { zh: '当', en: 'when ' };
const ARRIVES: Texts = { zh: '到达', en: ' arrives' };
const ON_SCHEDULE: Texts = { zh: '按计划', en: 'on the schedule ' };
const THEN: Texts = { zh: '，\n则：', en: ',\nthen:' };
const LATER: Texts = { zh: '；\n若 ', en: ';\nif that is still so ' };
const LATER_END: Texts = { zh: '后仍如此', en: ' later' };
const STEP: Texts = { zh: '（步骤 ', en: ' (step ' };
const STEP_END: Texts = { zh: '）', en: ')' };
const LATER_THEN: Texts = { zh: '，则：', en: ', then:' };
const STOP: Texts = { zh: '。', en: '.' };
const BULLET = '\n  - ';
const SEMICOLON: Texts = { zh: '；', en: ';' };

/**
 * A rule as somebody would say it: when, if, then; behind that how often, whose it is, and the long texts. Everything
 * of the document is in it, so that `readSentence` gives the document again: rules that differ have different
 * sentences. What the catalogue calls things stands beside their names, for the reader alone.
 */
export function sentenceOf(rule: RuleDocument, words: SentenceWords, language: Language): string {
  const by: Wording = { language, words, eventTypes: eventTypesOf(rule, words) };
  const steps = rule.escalate?.steps ?? [];
  return [
    RULE[language],
    word.write(rule.name, by),
    rule.enabled ? '' : DISABLED[language],
    writeShadow(rule, by),
    COLON[language],
    rule.schedule
      ? `${ON_SCHEDULE[language]}${schedule.write(rule.schedule, by)}`
      : `${WHEN[language]}${triggers.write(rule.trigger, by)}${ARRIVES[language]}`,
    conditionsOfRule.write(rule.conditions, by),
    ...(rule.actions.length > 0 ? [THEN[language], writeActions(rule.actions, by)] : []),
    ...steps.map((step) => writeStep(step, by)),
    STOP[language],
    record(mannerClauses).write(saidOf(rule), by),
    apart(record(aboutClauses).write(rule, by) + writeDetails(placed(rule.actions, steps), by)),
  ].join('');
}

/** What a sentence says the rule does: not whose it is, and not its long texts. */
export function mainPartOf(sentence: string): string {
  return sentence.split('\n\n', 1)[0] ?? '';
}

/** Behind an empty line. */
function apart(lines: string): string {
  return lines === '' ? '' : `\n${lines}`;
}

/**
 * The rule that a sentence says.
 *
 * @throws SentenceError
 */
export function readSentence(sentence: string, language: Language): RuleDocument {
  const from = new Cursor(sentence, language);
  from.take(RULE[language]);
  const name = word.read(from);
  const enabled = !from.skip(DISABLED[language]);
  const shadow = readShadow(from);
  from.take(COLON[language]);
  const trigger = readTrigger(from);
  const conditions = conditionsOfRule.read(from);
  const own = from.skip(THEN[language]) ? readActions(from) : [];
  const steps: EscalationStepDocument[] = [];
  while (from.skip(LATER[language])) steps.push(readStep(from));
  from.take(STOP[language]);
  const { manner, ...said } = record<SaidRule>(mannerClauses).read(from);
  if (steps.length > 0 && !manner) from.fail('how the escalation goes on belongs here');
  from.skip('\n');
  const about = record<SaidRule>(aboutClauses).read(from);
  const actions = readDetails(placed(own, steps), from);
  if (!from.ended) from.fail('the sentence ends here');
  let next = own.length;
  return {
    ...said,
    ...about,
    ...trigger,
    name,
    enabled,
    ...shadow,
    conditions,
    actions: actions.slice(0, own.length),
    ...(manner
      ? {
          escalate: {
            ...manner,
            steps: steps.map((step) => ({
              ...step,
              actions: actions.slice(next, (next += step.actions.length)),
            })),
          },
        }
      : {}),
  };
}

function writeShadow({ mode, shadowOf }: RuleDocument, by: Wording): string {
  const { language } = by;
  if (mode !== 'shadow') return '';
  const twin = shadowOf === undefined ? '' : `${SHADOW_OF[language]}${word.write(shadowOf, by)}`;
  return `${SHADOW[language]}${twin}${SHADOW_END[language]}`;
}

function readShadow(from: Cursor): Pick<RuleDocument, 'mode' | 'shadowOf'> {
  const { language } = from;
  if (!from.skip(SHADOW[language])) return {};
  const twin = from.skip(SHADOW_OF[language]) ? word.read(from) : undefined;
  from.take(SHADOW_END[language]);
  return { mode: 'shadow', ...(twin === undefined ? {} : { shadowOf: twin }) };
}

/** The event types whose facts a rule reads. */
function eventTypesOf({ trigger, schedule: planned }: RuleDocument, { catalogue }: SentenceWords): string[] {
  const entries = planned
    ? catalogue.entries.filter((entry) => mayBeLast(entry, planned.over))
    : trigger.flatMap((pattern) => catalogue.matching(pattern));
  const types = entries.map(({ eventType }) => eventType);
  // Of types that nobody knows the common facts are known all the same.
  return types.length > 0 ? types : ['*'];
}

const ANY: Texts = { zh: '任意事件', en: 'any event' };
const triggers = listOf(
  labelled(word, (type, { language, words }) => {
    if (type === '*') return ANY[language];
    const label = words.catalogue.find(type)?.label[language];
    return label === undefined ? null : plainLabel(label);
  }),
  { zh: '或', en: ' or ' },
);

function readTrigger(from: Cursor): Pick<RuleDocument, 'trigger' | 'schedule'> {
  const { language } = from;
  if (from.skip(ON_SCHEDULE[language])) return { trigger: [SCHEDULE_TYPE], schedule: schedule.read(from) };
  from.take(WHEN[language]);
  const trigger = triggers.read(from);
  from.take(ARRIVES[language]);
  return { trigger };
}

/** The document as the clauses say it. */
function saidOf({ escalate, ...rule }: RuleDocument): SaidRule {
  return { ...rule, ...(escalate ? { manner: escalate } : {}) };
}

function writeActions(actions: readonly ActionDocument[], by: Wording): string {
  if (actions.length === 0) return '';
  return `${BULLET}${actions.map((one) => action.write(one, by)).join(`${SEMICOLON[by.language]}${BULLET}`)}`;
}

function readActions(from: Cursor): readonly ActionDocument[] {
  const actions: ActionDocument[] = [];
  if (!from.skip(BULLET)) return actions;
  do actions.push(action.read(from));
  while (from.skip(`${SEMICOLON[from.language]}${BULLET}`));
  return actions;
}

function writeStep({ name, after, actions }: EscalationStepDocument, by: Wording): string {
  const { language } = by;
  const called = name === undefined ? '' : `${STEP[language]}${word.write(name, by)}${STEP_END[language]}`;
  return `${LATER[language]}${duration.write(after, by)}${LATER_END[language]}${called}${LATER_THEN[language]}${writeActions(actions, by)}`;
}

function readStep(from: Cursor): EscalationStepDocument {
  const { language } = from;
  const after = duration.read(from);
  from.take(LATER_END[language]);
  const name = from.skip(STEP[language]) ? word.read(from) : undefined;
  if (name !== undefined) from.take(STEP_END[language]);
  from.take(LATER_THEN[language]);
  return { ...(name === undefined ? {} : { name }), after, actions: readActions(from) };
}

function placed(
  own: readonly ActionDocument[],
  steps: readonly EscalationStepDocument[],
): readonly PlacedAction[] {
  return [
    ...own.map((one) => ({ step: null, action: one })),
    ...steps.flatMap(({ name, actions }, at) =>
      actions.map((one) => ({ step: name ?? at + 1, action: one })),
    ),
  ];
}
