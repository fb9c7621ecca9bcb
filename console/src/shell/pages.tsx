import {
  IconAlarm,
  IconArrowBackUp,
  IconBellOff,
  IconGauge,
  IconInbox,
  IconListCheck,
  IconRadar2,
  IconFlask,
  IconHistory,
  IconHistoryToggle,
  IconSend,
  IconTarget,
  IconUserCheck,
  IconUsers,
  IconKey,
} from '@tabler/icons-react';
import { type ComponentType, lazy } from 'react';
import type { UserRole } from '../api/types.js';
import { SHOWN } from '../words/shown-words.js';
import { SHELL } from './shell-words.js';

const WORDS = {
  en: { ...SHOWN.en, ...SHELL.en },
  zh: { ...SHOWN.zh, ...SHELL.zh },
};
export const NAMES = WORDS;

export interface PageEntry {
  /** Below the console's root. */
  readonly path: string;
  readonly name: keyof typeof WORDS.en;
  readonly icon: ComponentType<{ readonly size?: number }>;
  readonly least?: UserRole;
  /** After g: goes there. */
  readonly key?: string;
  readonly page: ComponentType;
}

/** What stands in the menu, in its order. Each page is fetched when it is opened. */
export const MENU: readonly PageEntry[] = [
  {
    path: '/',
    name: 'overview',
    icon: IconGauge,
    key: 'o',
    page: lazy(() => import('../pages/overview/overview.js')),
  },
  {
    path: '/attention',
    name: 'attention',
    icon: IconUserCheck,
    key: 'p',
    page: lazy(() => import('../pages/attention/attention.js')),
  },
  {
    path: '/events',
    name: 'events',
    icon: IconInbox,
    key: 'e',
    page: lazy(() => import('../pages/events/event-list.js')),
  },
  {
    path: '/deliveries',
    name: 'deliveries',
    icon: IconSend,
    key: 'd',
    page: lazy(() => import('../pages/deliveries/delivery-list.js')),
  },
  {
    path: '/rules',
    name: 'rules',
    icon: IconListCheck,
    key: 'r',
    page: lazy(() => import('../pages/rules/rule-list.js')),
  },
  {
    path: '/try',
    name: 'tryPad',
    icon: IconFlask,
    key: 't',
    page: lazy(() => import('../pages/try/try-pad.js')),
  },
  {
    path: '/backtests',
    name: 'backtests',
    icon: IconHistoryToggle,
    key: 'b',
    page: lazy(() => import('../pages/backtests/backtest-list.js')),
  },
  {
    path: '/replays',
    name: 'replays',
    icon: IconArrowBackUp,
    key: 'y',
    page: lazy(() => import('../pages/replays/replay-list.js')),
  },
  {
    path: '/timers',
    name: 'timers',
    icon: IconAlarm,
    key: 'm',
    page: lazy(() => import('../pages/timers/timer-list.js')),
  },
  {
    path: '/radar',
    name: 'radar',
    icon: IconRadar2,
    key: 'w',
    page: lazy(() => import('../pages/radar/radar.js')),
  },
  {
    path: '/silences',
    name: 'silences',
    icon: IconBellOff,
    key: 's',
    page: lazy(() => import('../pages/silences/silence-list.js')),
  },
  {
    path: '/targets',
    name: 'targets',
    icon: IconTarget,
    key: 'g',
    page: lazy(() => import('../pages/targets/target-list.js')),
  },
  {
    path: '/tokens',
    name: 'tokens',
    icon: IconKey,
    key: 'k',
    page: lazy(() => import('../pages/tokens/token-list.js')),
  },
  {
    path: '/users',
    name: 'users',
    icon: IconUsers,
    key: 'u',
    least: 'admin',
    page: lazy(() => import('../pages/users/user-list.js')),
  },
  {
    path: '/audit',
    name: 'audit',
    icon: IconHistory,
    key: 'a',
    least: 'admin',
    page: lazy(() => import('../pages/audit/audit-log.js')),
  },
];

/** Pages that are opened from others. */
export const OTHERS: readonly { readonly path: string; readonly page: ComponentType }[] = [
  { path: '/events/:id', page: lazy(() => import('../pages/events/event.js')) },
  { path: '/processes/:entity', page: lazy(() => import('../pages/process/process.js')) },
  { path: '/deliveries/:id', page: lazy(() => import('../pages/deliveries/delivery.js')) },
  { path: '/replays/:id', page: lazy(() => import('../pages/replays/order.js')) },
  { path: '/recalls/:id', page: lazy(() => import('../pages/replays/order.js')) },
  { path: '/backtests/:id', page: lazy(() => import('../pages/backtests/backtest.js')) },
  { path: '/rules/:name', page: lazy(() => import('../pages/rules/rule.js')) },
  { path: '/rule-sets', page: lazy(() => import('../pages/rules/rule-set-list.js')) },
];
