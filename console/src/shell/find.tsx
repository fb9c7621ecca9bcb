import { Loader, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type Ref, useState } from 'react';
import { useLocation } from 'wouter';
import { api, segment } from '../api/client.js';
import { useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** One word that may be an id: of a process, or that a sender gave its event. */
const ID = /^(?=.*\d)\S{8,200}$/;

const isThere = (path: string): Promise<boolean> =>
  api.get(path).then(
    () => true,
    () => false,
  );

/** The page of what was typed: of an id that is known, else the events that have the text in them. */
async function pageOf(text: string): Promise<string> {
  const events = `/events?text=${segment(text)}`;
  if (/^[a-z_]+:\S+$/i.test(text)) {
    const [kind = ''] = text.split(':');
    const known = kind === 'process' || (await isThere(`/entities/${segment(text)}`));
    return known ? `/processes/${segment(text)}` : events;
  }
  if (!ID.test(text)) return events;
  const event = `/events/${segment(text)}`;
  const other = UUID.test(text)
    ? { asked: `/deliveries/${segment(text)}`, page: `/deliveries/${segment(text)}` }
    : { asked: `/entities/${segment(`process:${text}`)}`, page: `/processes/${segment(`process:${text}`)}` };
  const [isEvent, isOther] = await Promise.all([isThere(event), isThere(other.asked)]);
  return isEvent ? event : isOther ? other.page : events;
}

/** Finds an event, a delivery or a process by its id, and events by what they hold. */
export function Find({ ref }: { readonly ref: Ref<HTMLInputElement> }) {
  const w = useWords(SHELL);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [, go] = useLocation();
  const find = async (input: HTMLInputElement | null): Promise<void> => {
    const wanted = text.trim();
    if (wanted === '' || busy) return;
    setBusy(true);
    try {
      go(await pageOf(wanted));
      setText('');
      input?.blur();
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      role="search"
      className="find"
      onSubmit={(submit) => {
        submit.preventDefault();
        void find(submit.currentTarget.querySelector('input'));
      }}
    >
      <TextInput
        ref={ref}
        size="xs"
        aria-label={w.findLabel}
        placeholder={w.find}
        leftSection={busy ? <Loader size={14} aria-hidden /> : <IconSearch size={14} />}
        maxLength={500}
        value={text}
        onChange={(change) => {
          setText(change.currentTarget.value);
        }}
        onKeyDown={(key) => {
          if (key.key === 'Escape') key.currentTarget.blur();
        }}
      />
    </form>
  );
}
