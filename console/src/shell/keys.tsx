import { Kbd, Modal, Table } from '@mantine/core';
import { useEffect, useEffectEvent, useRef } from 'react';
import { useLocation } from 'wouter';
import { useMay } from '../api/session.js';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { MENU, NAMES } from './pages.js';
import { SHELL } from './shell-words.js';

/** Within so long the second key of two follows the first, milliseconds. */
const PAIR_MS = 1500;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** Nothing has the focus but the page itself: also where its content got it because another page was opened. */
function isPage(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof HTMLElement && target.id === 'content');
}

/** `/` finds, `?` helps, `g` and a letter go somewhere. Nothing while somebody types or a dialog is open. */
export function useKeys(acts: { readonly find: () => void; readonly help: () => void }): void {
  const [, go] = useLocation();
  const mayAdmin = useMay('admin');
  const goAt = useRef(0);
  const onKey = useEffectEvent((key: KeyboardEvent) => {
    if (isTyping(key.target) || key.ctrlKey || key.metaKey || key.altKey) return;
    if (document.querySelector('[role="dialog"][aria-modal="true"]')) return;
    if (key.key === '/') acts.find();
    else if (key.key === '?') acts.help();
    else if (key.key === 'g' && Date.now() - goAt.current > PAIR_MS) {
      goAt.current = Date.now();
      return;
    } else if (Date.now() - goAt.current < PAIR_MS) {
      goAt.current = 0;
      const page = MENU.find((one) => one.key === key.key && (one.least !== 'admin' || mayAdmin));
      if (!page) return;
      go(page.path);
    } else if ((key.key === 'j' || key.key === 'k') && isPage(key.target))
      document.querySelector<HTMLElement>('[data-row][tabindex]')?.focus();
    else return;
    key.preventDefault();
  });
  useEffect(() => {
    const heard = (key: KeyboardEvent): void => {
      onKey(key);
    };
    window.addEventListener('keydown', heard);
    return () => {
      window.removeEventListener('keydown', heard);
    };
  }, []);
}

export function KeyHelp({ close }: { readonly close: () => void }) {
  const w = useWords(SHELL);
  const names = useWords(NAMES);
  const shown = useWords(SHOWN);
  const rows: readonly (readonly [keys: readonly string[], text: string])[] = [
    [['?'], w.keyHelp],
    [['/'], w.keyFind],
    [['j', 'k'], w.keyMove],
    [['Enter'], w.keyOpen],
    ...MENU.flatMap(({ key, name }) => (key === undefined ? [] : [[['g', key], names[name]] as const])),
  ];
  return (
    <Modal opened onClose={close} title={w.keysTitle} closeButtonProps={{ 'aria-label': shown.close }}>
      <Table>
        <Table.Tbody>
          {rows.map(([keys, text]) => (
            <Table.Tr key={text}>
              <Table.Td w={120}>
                {keys.map((one) => (
                  <Kbd key={one} mr={4}>
                    {one}
                  </Kbd>
                ))}
              </Table.Td>
              <Table.Td>{text}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
