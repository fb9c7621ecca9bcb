import { createContext, useContext } from 'react';
import type { Session, UserRole } from './types.js';

export const SessionContext = createContext<Session | null>(null);

const ROLES: readonly UserRole[] = ['viewer', 'operator', 'admin'];

/** Who is signed in. Only below the shell. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('nobody is signed in');
  return session;
}

/** Whether who is signed in has at least this role. */
export function useMay(least: UserRole): boolean {
  return ROLES.indexOf(useSession().role) >= ROLES.indexOf(least);
}
