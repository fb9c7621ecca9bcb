import { printable } from '../../config/terminal-text.js';
import type { UnseenPoint } from './coverage.js';

/** What no case has shown, in words. */
export function unseenText({ kind, part, action, step, words }: UnseenPoint): string {
  const ofStep = step === null ? '' : ` (step 步骤 ${printable(step)})`;
  if (kind === 'sent') return `never sent 从未发送: ${printable(words)}${ofStep}`;
  const never = kind === 'true' ? 'never seen true 从未成立' : 'never seen false 从未不成立';
  const where =
    part === 'conditions' ? '' : ` in ${part}${action === null ? '' : ` of ${printable(action)}${ofStep}`}`;
  return `${never}${where}: ${printable(words)}`;
}
