import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import type { Label } from '../api/types.js';

export const LANGUAGES = ['zh', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Texts, and functions that make one; both languages have the same, or it does not compile. */
export type Words = Readonly<Record<string, string | ((...given: never[]) => string)>>;
export interface BothWords<W> {
  readonly en: W;
  readonly zh: W;
}

/** Any text for a text; a function stays as it is. */
type Widened<En extends Words> = { readonly [Name in keyof En]: En[Name] extends string ? string : En[Name] };

/** The same words in English and Chinese. Each room of the console has its own, in a file beside it. */
export function bothWords<En extends Words>(en: En, zh: Widened<En>): BothWords<Widened<En>> {
  return { en: en as Widened<En>, zh };
}

const KEPT = 'aftersign.language';

/** What was chosen here before, else what the browser asks for. */
export function keptLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'zh' || kept === 'en') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

interface Chosen {
  readonly language: Language;
  readonly choose: (language: Language) => void;
}

const LanguageContext = createContext<Chosen>({ language: 'en', choose: () => undefined });

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(keptLanguage);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const choose = (next: Language): void => {
    localStorage.setItem(KEPT, next);
    setLanguage(next);
  };
  return <LanguageContext value={{ language, choose }}>{children}</LanguageContext>;
}

export function useLanguage(): Chosen {
  return useContext(LanguageContext);
}

/** A room's words in the language that is chosen. */
export function useWords<W>(words: BothWords<W>): W {
  return words[useLanguage().language];
}

/** What the catalogue calls something, in the language that is chosen. */
export function useLabel(): (label: Label | null | undefined) => string | null {
  const { language } = useLanguage();
  return (label) => (label ? label[language] : null);
}
