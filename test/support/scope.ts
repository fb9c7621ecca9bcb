import type { TemplateScope } from '../../src/action/render-template.js';

/** A template scope over plain values, as a decision makes it. */
export function scopeOf(
  event: Record<string, unknown>,
  rule: Record<string, unknown> = { name: 'r' },
  more: Record<string, unknown> = {},
): TemplateScope {
  const roots: Record<string, unknown> = { event, rule, now: '2026-11-02T09:00:00.000Z', ...more };
  return {
    timezone: 'Asia/Shanghai',
    read: (path) =>
      path.reduce<unknown>(
        (at, key) =>
          typeof at === 'object' && at !== null && Object.hasOwn(at, key)
            ? (at as Record<string, unknown>)[key]
            : undefined,
        roots,
      ),
    labelOf: (field, value, language) =>
      ['status', 'task.previousStatus'].includes(field) && value === 3
        ? { zh: '已完成', en: 'done' }[language]
        : null,
  };
}
