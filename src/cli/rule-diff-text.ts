import { printable } from '../config/terminal-text.js';
import type { Language } from '../rules/sentence/language.js';
import type { Change, Changes, RuleDiff, Said } from '../rules/sentence/rule-diff.js';
import { type DiffPiece, diffWords } from '../rules/sentence/word-diff.js';
import { inColour, pc } from './colours.js';

/** What is compared, and how a change of it is headed. */
const WHAT = { rules: 'rule 规则', conditions: 'named condition 命名条件' } as const;

/** What differs between two rule sets, for people. Empty: nothing does. */
export function ruleDiffText(diff: RuleDiff, languages: readonly Language[]): string {
  const parts = [
    ...changesText(diff.rules, WHAT.rules, languages),
    ...changesText(diff.conditions, WHAT.conditions, languages),
  ];
  return parts.length === 0 ? '' : `${[headOf(diff), ...parts].join('\n\n')}\n`;
}

function headOf({ rules, conditions }: RuleDiff): string {
  const counts = (what: string, changes: Changes<unknown>): readonly string[] => {
    const { added, removed, changed, renamed } = changes;
    const said = [
      [added.length, 'added 新增'],
      [removed.length, 'removed 删除'],
      [changed.length, 'changed 修改'],
      [renamed.length, 'renamed 改名'],
    ] as const;
    const told = said.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
    return told.length === 0 ? [] : [`${what}: ${told.join(', ')}`];
  };
  return [...counts('rules 规则', rules), ...counts('named conditions 命名条件', conditions)].join('\n');
}

function changesText<Document>(
  { added, removed, changed, renamed }: Changes<Document>,
  what: string,
  languages: readonly Language[],
): readonly string[] {
  return [
    ...changed.map((one) => changeText(one, what, languages)),
    ...added.map((one) =>
      wholeText(one, pc.green(`+ ${what} ${printable(one.name)}: added 新增`), languages),
    ),
    ...removed.map((one) =>
      wholeText(one, pc.red(`− ${what} ${printable(one.name)}: removed 删除`), languages),
    ),
    ...renamed.map(({ from, to }) =>
      pc.yellow(`→ ${what} ${printable(from)}: renamed 改名 ${printable(to)}, else the same 其余不变`),
    ),
  ];
}

function wholeText(one: Said<unknown>, head: string, languages: readonly Language[]): string {
  const sentences = languages.map((language) => indented(printableLines(one.sentence[language])));
  return `${head}\n${sentences.join('\n\n')}`;
}

function changeText(
  { name, before, after }: Change<unknown>,
  what: string,
  languages: readonly Language[],
): string {
  const sentences = languages.map((language) =>
    indented(markedText(diffWords(before.sentence[language], after.sentence[language]))),
  );
  return `${pc.yellow(`~ ${what} ${printable(name)}: changed 修改`)}\n${sentences.join('\n\n')}`;
}

/**
 * The later text with the changed words marked: in colours, or as `[-…-]{+…+}`. Of what stands behind the first
 * paragraph only the lines in which something changed.
 */
export function markedText(pieces: readonly DiffPiece[]): string {
  const lines: DiffPiece[][] = [[]];
  for (const { kind, text } of pieces) {
    for (const [at, part] of text.split('\n').entries()) {
      if (at > 0) lines.push([]);
      if (part !== '') lines.at(-1)?.push({ kind, text: part });
    }
  }
  const end = lines.findIndex((line) => line.length === 0);
  const isShown = (line: readonly DiffPiece[], at: number): boolean =>
    end < 0 || at < end || line.some(({ kind }) => kind !== 'same');
  const shown = lines.filter(isShown).map((line) => line.map(marked).join(''));
  const left = lines.some((line, at) => line.length > 0 && !isShown(line, at));
  return [...shown, ...(left ? [pc.dim('…')] : [])].join('\n');
}

function marked({ kind, text }: DiffPiece): string {
  const safe = printable(text);
  if (kind === 'same') return safe;
  if (kind === 'removed') return inColour ? pc.red(pc.strikethrough(safe)) : `[-${safe}-]`;
  return inColour ? pc.green(safe) : `{+${safe}+}`;
}

function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}
