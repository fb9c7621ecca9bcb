import { useCallback, useEffect, useState } from 'react';
import { inLineEndsOf, inPlainLineEnds } from './patch.js';

/** A file that is being edited. Nothing of it leaves the browser but to be tried. */
export interface Draft {
  readonly path: string;
  /** As the editor has it: each line ends with \n. */
  readonly text: string;
  /** What the live file held when the edit began; null: there was none. */
  readonly base: string | null;
}

export type Drafts = Readonly<Record<string, Draft>>;

/** Gone with the tab: an edit is nothing that this browser should keep for whoever comes after. */
const KEPT = 'aftersign.try';

function isDraft(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false;
  const { path, text, base } = value as Partial<Record<keyof Draft, unknown>>;
  return typeof path === 'string' && typeof text === 'string' && (base === null || typeof base === 'string');
}

function kept(): Drafts {
  try {
    const all: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? '[]');
    return Object.fromEntries(
      (Array.isArray(all) ? all : []).filter(isDraft).map((draft) => [draft.path, draft]),
    );
  } catch {
    return {};
  }
}

/** Whether there is anything in it that the live file has not. A new file is all of it. */
export function isChanged({ text, base }: Draft): boolean {
  return base === null || text !== inPlainLineEnds(base);
}

/** What the file would hold, with the line ends that it has. */
export function fileTextOf({ text, base }: Draft): string {
  return base === null ? text : inLineEndsOf(base, text);
}

/** The edits of this tab. Leaving the console while there are any asks first. */
export function useDrafts() {
  const [drafts, setDrafts] = useState(kept);
  const any = Object.keys(drafts).length > 0;
  useEffect(() => {
    try {
      if (any) sessionStorage.setItem(KEPT, JSON.stringify(Object.values(drafts)));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // No room: the edit is still in the page, and leaving it asks first.
    }
  }, [drafts, any]);
  useEffect(() => {
    if (!any) return;
    const ask = (leaving: BeforeUnloadEvent): void => {
      leaving.preventDefault();
    };
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [any]);
  /** Keeps an edit; one that is back to what it was is none. */
  const put = useCallback((draft: Draft): void => {
    setDrafts((before) => {
      if (isChanged(draft)) return { ...before, [draft.path]: draft };
      return without(before, draft.path);
    });
  }, []);
  const drop = useCallback((path: string): void => {
    setDrafts((before) => without(before, path));
  }, []);
  return { drafts, put, drop };
}

function without(drafts: Readonly<Record<string, Draft>>, path: string): Record<string, Draft> {
  return Object.fromEntries(Object.entries(drafts).filter(([one]) => one !== path));
}
