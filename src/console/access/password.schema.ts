import { z } from 'zod';

const LEAST_CHARACTERS = 12;
const MOST_BYTES = 1024;

/** The password as it is hashed: however it was typed, the same characters are the same bytes. */
export function normalPassword(text: string): string {
  return text.normalize('NFC');
}

/** What is wrong with a new password; null: nothing. */
export function passwordProblem(text: string): string | null {
  const normal = normalPassword(text);
  if (Array.from(normal).length < LEAST_CHARACTERS)
    return `must have at least ${LEAST_CHARACTERS} characters`;
  if (Buffer.byteLength(normal) > MOST_BYTES) return `must have at most ${MOST_BYTES} bytes`;
  return normal.isWellFormed() ? null : 'holds half a character';
}

export const PASSWORD = z
  .string()
  .superRefine((text, context) => {
    const problem = passwordProblem(text);
    if (problem !== null) context.addIssue(problem);
  })
  .meta({
    description: `At least ${LEAST_CHARACTERS} characters, at most ${MOST_BYTES} bytes.`,
    format: 'password',
  });

/** A password to compare with: what is wrong with it is nobody's business. */
export const GIVEN_PASSWORD = z
  .string()
  .max(4 * MOST_BYTES)
  .meta({ format: 'password' });

export const PASSWORD_CHANGE = z
  .strictObject({ current: GIVEN_PASSWORD, next: PASSWORD })
  .meta({ id: 'PasswordChange' });
export type PasswordChange = z.infer<typeof PASSWORD_CHANGE>;
