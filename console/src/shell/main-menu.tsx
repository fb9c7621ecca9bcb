import { NavLink } from '@mantine/core';
import { Link, useLocation } from 'wouter';
import { useMay } from '../api/session.js';
import { useWords } from '../words/words.js';
import { MENU, NAMES } from './pages.js';

/** The places that one may go to; `gone` when one was chosen. */
export function MainMenu({ gone }: { readonly gone?: () => void }) {
  const names = useWords(NAMES);
  const mayAdmin = useMay('admin');
  const [path] = useLocation();
  return MENU.filter(({ least }) => least !== 'admin' || mayAdmin).map(({ path: to, name, icon: Icon }) => {
    const here =
      to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`) || BELOW[to]?.test(path);
    return (
      <NavLink
        key={to}
        component={Link}
        href={to}
        label={names[name]}
        leftSection={<Icon size={18} />}
        active={here === true}
        {...(here === true ? { 'aria-current': 'page' as const } : {})}
        {...(gone ? { onClick: gone } : {})}
      />
    );
  });
}

/** Pages that belong to a place without standing below it. */
const BELOW: Readonly<Record<string, RegExp>> = { '/events': /^\/processes\//, '/rules': /^\/rule-sets/ };
