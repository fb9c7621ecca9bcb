import { type Finding, formatFinding, visible } from '../rules/finding.js';
import { mainPartOf } from '../rules/sentence/rule-sentence.js';
import { pc } from './colours.js';
import { witnessText } from './witness-text.js';

/** A finding with its line of the file, in colours; the event that shows it, and the rule in words. */
export function findingText(finding: Finding, text: string | undefined): string {
  const { red, yellow, cyan, dim } = pc;
  const { witness, sentence } = finding;
  const more = [
    ...(witness ? [visible(`as with: ${witnessText(witness)}`)] : []),
    ...(sentence
      ? [sentence.zh, sentence.en].flatMap((one) =>
          mainPartOf(one)
            .split('\n')
            .map((line) => dim(visible(line))),
        )
      : []),
  ];
  const shown = formatFinding(finding, text, { error: red, warning: yellow, info: cyan, dim });
  return [shown, ...more.map((line) => `    ${line}`)].join('\n');
}
