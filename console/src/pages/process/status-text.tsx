import type { EntityStatus, Label } from '../../api/types.js';
import { useLabel } from '../../words/words.js';

/** 已完成 · 3: what the catalogue calls a status, and the status. */
export function statusText(
  value: string | number,
  label: Label | null,
  say: (label: Label | null) => string | null,
): string {
  const name = say(label);
  return name === null ? String(value) : `${name} · ${value}`;
}

export function StatusText({ status }: { readonly status: Pick<EntityStatus, 'value' | 'label'> }) {
  return <bdi>{statusText(status.value, status.label, useLabel())}</bdi>;
}
