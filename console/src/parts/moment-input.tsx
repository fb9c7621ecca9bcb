import { TextInput, type TextInputProps } from '@mantine/core';

/** ISO 8601 as a field of the browser has it, in the reader's time zone; empty when it is no time. */
function localOf(iso: string): string {
  const time = new Date(iso);
  if (iso === '' || Number.isNaN(time.getTime())) return '';
  const there = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return there.toISOString().slice(0, 16);
}

/** A time to the minute in the reader's time zone; outside it is ISO 8601 in UTC, or empty. */
export function MomentInput({
  value,
  change,
  ...props
}: Omit<TextInputProps, 'value' | 'onChange' | 'type'> & {
  readonly value: string;
  readonly change: (iso: string) => void;
}) {
  return (
    <TextInput
      {...props}
      type="datetime-local"
      max="9999-12-31T23:59"
      value={localOf(value)}
      onChange={(changed) => {
        const time = new Date(changed.currentTarget.value);
        change(Number.isNaN(time.getTime()) ? '' : time.toISOString());
      }}
    />
  );
}
