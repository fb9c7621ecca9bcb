import { Select } from '@mantine/core';
import type { UserRole } from '../api/types.js';
import { ROLES } from '../words/role-words.js';
import { useWords } from '../words/words.js';

const ALL = ['viewer', 'operator', 'admin'] as const;

/** A role, none above `most`, with what it may. */
export function RoleSelect({
  value,
  change,
  most = 'admin',
}: {
  readonly value: UserRole;
  readonly change: (role: UserRole) => void;
  readonly most?: UserRole;
}) {
  const w = useWords(ROLES);
  return (
    <Select
      label={w.role}
      allowDeselect={false}
      value={value}
      description={w[`${value}May`]}
      data={ALL.slice(0, ALL.indexOf(most) + 1).map((role) => ({
        value: role,
        label: `${w[role]} · ${role}`,
      }))}
      onChange={(role) => {
        const chosen = ALL.find((one) => one === role);
        if (chosen) change(chosen);
      }}
    />
  );
}
