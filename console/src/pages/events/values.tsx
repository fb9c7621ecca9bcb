import { Anchor, Text, Tooltip } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useState } from 'react';
import type { Label } from '../../api/types.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { EVENTS } from './words.js';

/** What stands where a viewer may not read. */
const MASK = '•••';
/** Of a value that is longer, so much is shown at first. */
const SHOWN_AT_FIRST = 160;

type ValueLabel = Label | readonly (Label | null)[] | null;

/** A value as people read it: a text as it is, all else as JSON. With `exact`, texts in quotation marks. */
export function textOf(value: unknown, exact = false): string {
  if (typeof value === 'string' && !exact) return value;
  return value === undefined ? '' : JSON.stringify(value);
}

/** What the catalogue calls a value, and the value: 已完成 · 3. Of a list, each element. */
export function Value({
  value,
  label = null,
  exact = false,
}: {
  readonly value: unknown;
  readonly label?: ValueLabel;
  /** Whether texts stand in quotation marks: where 3 and "3" are not the same. */
  readonly exact?: boolean;
}) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  if (value === undefined)
    return (
      <Text span inherit fs="italic">
        {w.missing}
      </Text>
    );
  if (value === MASK)
    return (
      <Tooltip label={shown.masked}>
        <Text span inherit tabIndex={0} aria-label={shown.masked}>
          <IconLock size={12} aria-hidden /> {MASK}
        </Text>
      </Tooltip>
    );
  if (Array.isArray(value) && isLabels(label))
    return (
      <>
        {value.map((one: unknown, at) => (
          <span key={at}>
            {at > 0 && ', '}
            <Value value={one} label={label[at] ?? null} exact={exact} />
          </span>
        ))}
      </>
    );
  const name = isLabels(label) ? null : say(label);
  return (
    <>
      {name !== null && (
        <Text span inherit>
          {name}
          {' · '}
        </Text>
      )}
      <LongText text={textOf(value, exact)} />
    </>
  );
}

function isLabels(label: ValueLabel): label is readonly (Label | null)[] {
  return Array.isArray(label);
}

/** A text of whatever length and direction, in one place. */
function LongText({ text }: { readonly text: string }) {
  const w = useWords(EVENTS);
  const [all, setAll] = useState(false);
  const isLong = text.length > SHOWN_AT_FIRST + 40;
  return (
    <>
      <Text span inherit ff="monospace" fz="0.94em" component="bdi" style={{ overflowWrap: 'anywhere' }}>
        {isLong && !all ? `${text.slice(0, SHOWN_AT_FIRST)}…` : text}
      </Text>
      {isLong && (
        <Anchor
          component="button"
          type="button"
          fz="xs"
          ml={6}
          onClick={(click) => {
            click.stopPropagation();
            setAll(!all);
          }}
        >
          {all ? w.showLess : w.showAll(text.length)}
        </Anchor>
      )}
    </>
  );
}
