import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/duration.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$/;
const FORM = 'It must be a date, a date-time like 2026-11-24T08:00:00Z, or a duration like 2h, meaning ago.';

/** A day or a time without a zone is one of this computer's zone. */
export function sinceMoment(text: string): Date {
  return momentOf(text, 0);
}

/** As `sinceMoment`; a day is meant to its end. */
export function untilMoment(text: string): Date {
  return momentOf(text, 1);
}

/** A time that is to come. A day is meant from its beginning, of this computer's zone. */
export function comingMoment(text: string): Date {
  return coming(text, 0);
}

/** As `comingMoment`; a day is meant to its end. */
export function comingEnd(text: string): Date {
  return coming(text, 1);
}

function coming(text: string, daysOn: 0 | 1): Date {
  const date = dateOf(text, daysOn);
  if (date === null || Number.isNaN(date.getTime()))
    throw new InvalidArgumentError('It must be a date, or a date-time like 2026-11-24T08:00:00Z.');
  return date;
}

function momentOf(text: string, daysOn: 0 | 1): Date {
  const ago = parseDuration(text);
  const date = ago === null ? dateOf(text, daysOn) : new Date(Date.now() - ago);
  if (date === null || Number.isNaN(date.getTime())) throw new InvalidArgumentError(FORM);
  return date;
}

function dateOf(text: string, daysOn: 0 | 1): Date | null {
  if (!DAY.test(text)) return DATE_TIME.test(text) ? new Date(text.replace(' ', 'T')) : null;
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const begin = new Date(year, month - 1, day);
  // 2026-02-30 would become the 2nd of March.
  if (begin.getMonth() !== month - 1 || begin.getDate() !== day) return null;
  return new Date(year, month - 1, day + daysOn);
}
