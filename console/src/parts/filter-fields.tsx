import { Autocomplete, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';

export interface FilterProps {
  readonly label: string;
  readonly value: string;
  readonly apply: (text: string) => void;
  readonly placeholder?: string;
}

/** What is typed and not applied yet; another value from outside takes its place. */
export function useTyped(value: string): readonly [string, (text: string) => void] {
  const [typed, setTyped] = useState(value);
  const [from, setFrom] = useState(value);
  if (from !== value) {
    setFrom(value);
    setTyped(value);
  }
  return [typed, setTyped];
}

/** A text, looked for with Enter or when the field is left. */
export function TextFilter({
  label,
  value,
  apply,
  placeholder = '',
  search = false,
}: FilterProps & { readonly search?: boolean }) {
  const [typed, setTyped] = useTyped(value);
  const done = (): void => {
    if (typed.trim() !== value) apply(typed.trim());
  };
  return (
    <TextInput
      size="xs"
      label={label}
      placeholder={placeholder}
      maxLength={500}
      value={typed}
      {...(search ? { leftSection: <IconSearch size={14} />, type: 'search' } : {})}
      onChange={(change) => {
        setTyped(change.currentTarget.value);
      }}
      onBlur={done}
      onKeyDown={(key) => {
        if (key.key === 'Enter') done();
      }}
    />
  );
}

/** A name in full; those that are known are offered. */
export function NameFilter({
  label,
  value,
  apply,
  placeholder,
  names,
}: FilterProps & { readonly names: readonly string[] }) {
  const w = useWords(SHOWN);
  const [typed, setTyped] = useTyped(value);
  const done = (): void => {
    if (typed.trim() !== value) apply(typed.trim());
  };
  return (
    <Autocomplete
      size="xs"
      label={label}
      placeholder={placeholder ?? w.all}
      maxLength={500}
      limit={50}
      clearable
      value={typed}
      data={[...new Set(names)]}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      onChange={(text) => {
        setTyped(text);
        if (text === '' && value !== '') apply('');
      }}
      onOptionSubmit={apply}
      onBlur={done}
      onKeyDown={(key) => {
        if (key.key === 'Enter') done();
      }}
    />
  );
}
