import { type Finding, formatFinding } from '../rules/finding.js';
import { pc } from './colours.js';

/** A finding with its line of the file, in colours. */
export function findingText(finding: Finding, text: string | undefined): string {
  const { red, yellow, cyan, dim } = pc;
  return formatFinding(finding, text, { error: red, warning: yellow, info: cyan, dim });
}
