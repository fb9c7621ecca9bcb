import { Text } from '@mantine/core';
import { exactMoment, shownDuration } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import type { Bar, DeliveryMark, Mark, Row } from './layout.js';
import { statusText } from './status-text.js';
import { PROCESS } from './words.js';

/** What is under the pointer, or has the focus; and where its details stand. */
export type Detail = { readonly x: number; readonly y: number } & (
  | { readonly kind: 'bar'; readonly name: string; readonly bar: Bar }
  | { readonly kind: 'mark'; readonly name: string; readonly mark: Mark }
  | { readonly kind: 'ladder'; readonly row: Extract<Row, { kind: 'ladder' }> }
  | { readonly kind: 'deliveries'; readonly mark: DeliveryMark }
);

/** So many of several deliveries are named. */
const NAMED = 6;

/** The words for a mark: the same under the pointer and for those who hear them. */
export function useDetailText(): (detail: Detail) => readonly string[] {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  const moment = (time: string | number): string => exactMoment(time);
  return (detail) => {
    switch (detail.kind) {
      case 'bar': {
        const { bar, name } = detail;
        return [
          `${name}: ${statusText(bar.value, bar.label, say)} (${w[`phase ${bar.phase}`]})`,
          `${w.since} ${moment(bar.from)}`,
          ...(bar.to === null ? [] : [`${w.until} ${moment(bar.to)} (${shownDuration(bar.to - bar.from)})`]),
        ];
      }
      case 'mark': {
        const { transition, late } = detail.mark;
        const { from, fromLabel, to, toLabel, kind, at } = transition;
        const before =
          from === undefined ? w.notSeen : from === null ? '–' : statusText(from, fromLabel, say);
        return [
          `${detail.name}: ${before} → ${statusText(to, toLabel, say)}`,
          moment(at),
          ...(kind === 'irregular' ? [`◆ ${w['kind irregular']}: ${w.irregularAbout}`] : []),
          ...(kind === 'repeat' ? [`○ ${w['kind repeat']}`] : []),
          ...(late ? [`◷ ${w.late}: ${w.lateAbout}`] : []),
        ];
      }
      case 'ladder': {
        const { timer, steps } = detail.row;
        const code = timer.code === null ? null : timer.code;
        return [
          `${timer.rule} · ${timer.subject}: ${w[`timer ${timer.state}`]}`,
          `${w.countsFrom} ${moment(timer.baseTime)}`,
          ...timer.sent.map((step) => {
            const known = steps.find((one) => one.step === step);
            return `✉ ${w.sent}: ${step}${known ? ` · ${moment(known.at)}` : ''}`;
          }),
          ...(detail.row.dueX === null ? [] : [`${w.nextDue}: ${timer.step} · ${moment(timer.dueAt)}`]),
          ...(timer.state === 'cancelled' ? [`✕ ${codeText(code, w)} · ${moment(timer.updatedAt)}`] : []),
        ];
      }
      case 'deliveries': {
        const { deliveries, state } = detail.mark;
        const [first] = deliveries;
        return [
          `${shown[state]}${deliveries.length > 1 ? ` ×${deliveries.length}` : ''}`,
          ...(first ? [moment(first.createdAt)] : []),
          ...deliveries.slice(0, NAMED).map(({ rule, action, target }) => `${rule} · ${action} → ${target}`),
          ...(deliveries.length > NAMED ? ['…'] : []),
        ];
      }
    }
  };
}

/** Why a timer was cancelled, in words; a code that is not known stays as it is. */
export function codeText(code: string | null, w: typeof PROCESS.en): string {
  if (code === null) return w['timer cancelled'];
  const name = `code ${code}`;
  return Object.hasOwn(w, name) ? w[name as 'code FAILED'] : code;
}

export function DetailLines({ detail }: { readonly detail: Detail }) {
  const [first, ...others] = useDetailText()(detail);
  return (
    <>
      <Text size="xs" fw={650} className="detail-line">
        {first}
      </Text>
      {others.map((line) => (
        <Text key={line} size="xs" className="detail-line">
          {line}
        </Text>
      ))}
    </>
  );
}
