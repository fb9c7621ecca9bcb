import { Text, Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { type Language, useLanguage } from '../words/words.js';

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

const LOCALES: Readonly<Record<Language, string>> = { zh: 'zh-CN', en: 'en-GB' };

export function localeOf(language: Language): string {
  return LOCALES[language];
}

const two = (n: number): string => String(n).padStart(2, '0');

/** A moment to the second, in the reader's time zone: 2026-12-01 16:24:38, the same in both languages. */
export function exactMoment(time: string | number): string {
  const at = new Date(time);
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** The reader's time zone at a moment: GMT+8. */
export function zoneAt(time: string | number, language: Language): string {
  const parts = new Intl.DateTimeFormat(LOCALES[language], { timeZoneName: 'short' }).formatToParts(
    new Date(time),
  );
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

/** "3 minutes ago", "in 2 hours". */
export function relativeMoment(time: string | number, now: number, language: Language): string {
  const distance = new Date(time).getTime() - now;
  const [unit, ms] = STEPS.find(([, one]) => Math.abs(distance) >= one) ?? (['second', 1000] as const);
  const format = new Intl.RelativeTimeFormat(LOCALES[language], { numeric: 'auto', style: 'short' });
  return format.format(Math.trunc(distance / ms), unit);
}

/** Milliseconds as people say them: 340 ms, 2.1 s, 3 min. */
export function shownDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** Milliseconds since 1970, anew every ten seconds. */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, every);
    return () => {
      clearInterval(timer);
    };
  }, [every]);
  return now;
}

/** How long ago, or how long to go; with the exact moment under the pointer. `exact`: the other way round. */
export function Moment({ time, exact = false }: { readonly time: string | null; readonly exact?: boolean }) {
  const { language } = useLanguage();
  const now = useNow();
  if (time === null) return <Text span>–</Text>;
  const [shown, other] = [relativeMoment(time, now, language), exactMoment(time)];
  const zoned = `${other} ${zoneAt(time, language)}`;
  return (
    <Tooltip label={exact ? `${shown} · ${zoned}` : zoned}>
      <Text span inherit component="time" dateTime={time} style={{ whiteSpace: 'nowrap' }}>
        {exact ? other : shown}
      </Text>
    </Tooltip>
  );
}
