import { ActionIcon, Badge, Button, Group, Menu, Text, Tooltip } from '@mantine/core';
import { IconDots, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, usePages } from '../../api/queries.js';
import { useSession } from '../../api/session.js';
import type { ChangedUser, User } from '../../api/types.js';
import { List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { tellDone, tellProblem } from '../../parts/problem.js';
import { ShownOnce } from '../../parts/shown-once.js';
import { ROLES } from '../../words/role-words.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { ChangeUser, type UserAct } from './change-user.js';
import { NewUserDialog } from './new-user.js';
import { USERS } from './words.js';

export default function UserList() {
  const w = useWords(USERS);
  const shown = useWords(SHOWN);
  const roles = useWords(ROLES);
  const { name: own } = useSession();
  const list = usePages<User>('/users');
  const [adding, setAdding] = useState(false);
  const [act, setAct] = useState<{ readonly act: UserAct; readonly user: User } | null>(null);
  const [once, setOnce] = useState<ChangedUser | null>(null);
  return (
    <>
      <PageHead title={w.title} about={w.about}>
        <Button
          leftSection={<IconPlus size={16} />}
          onClick={() => {
            setAdding(true);
          }}
        >
          {w.add}
        </Button>
      </PageHead>
      <List
        label={w.title}
        rows={list.items}
        keyOf={({ id }) => id}
        error={list.error}
        retry={() => void list.refetch()}
        empty={w.empty}
        more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        loadingMore={list.isFetchingNextPage}
        columns={[
          {
            title: w.user,
            cell: ({ name }) => (
              <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                {name}
                {name === own && ` (${w.you})`}
              </Text>
            ),
          },
          { title: roles.role, cell: ({ role }) => roles[role] },
          {
            title: shown.state,
            cell: ({ disabled, mustChangePassword }) => (
              <Group gap={6}>
                <Badge variant="light" color={disabled ? 'red' : 'teal'}>
                  {disabled ? w.disabled : w.active}
                </Badge>
                {mustChangePassword && (
                  <Badge variant="light" color="gray">
                    {w.oneTime}
                  </Badge>
                )}
              </Group>
            ),
          },
          {
            title: w.signIn,
            cell: ({ identity }) =>
              identity === null ? (
                w.local
              ) : (
                <Tooltip label={identity}>
                  <Text span inherit>
                    {w.provider}
                  </Text>
                </Tooltip>
              ),
          },
          {
            title: w.lastLogin,
            cell: ({ lastLoginAt }) => (lastLoginAt === null ? w.never : <Moment time={lastLoginAt} />),
          },
          { title: shown.created, wide: true, cell: ({ createdAt }) => <Moment time={createdAt} /> },
          {
            title: '',
            width: 60,
            align: 'right',
            cell: (user) => (
              <UserMenu
                user={user}
                isOwn={user.name === own}
                choose={(chosen) => {
                  setAct({ act: chosen, user });
                }}
              />
            ),
          },
        ]}
      />
      {adding && (
        <NewUserDialog
          close={() => {
            setAdding(false);
          }}
          made={(user) => {
            setAdding(false);
            setOnce(user);
            void askAgain('/users');
          }}
        />
      )}
      {act && (
        <ChangeUser
          act={act.act}
          user={act.user}
          close={() => {
            setAct(null);
          }}
          changed={(user) => {
            if (user.oneTimePassword !== undefined) setOnce(user);
          }}
        />
      )}
      {once?.oneTimePassword !== undefined && (
        <ShownOnce
          title={once.name}
          label={w.password}
          secret={once.oneTimePassword}
          warning={w.once}
          about={w.onceAbout}
          close={() => {
            setOnce(null);
          }}
        />
      )}
    </>
  );
}

/** What can be done with a user. Nobody shuts out oneself by a slip. */
function UserMenu({
  user: { name, disabled, identity },
  isOwn,
  choose,
}: {
  readonly user: User;
  readonly isOwn: boolean;
  readonly choose: (act: UserAct) => void;
}) {
  const w = useWords(USERS);
  const enable = async (): Promise<void> => {
    try {
      await api.patch(`/users/${segment(name)}`, { disabled: false });
      await askAgain('/users');
      tellDone(w.done(name));
    } catch (error) {
      tellProblem(error);
    }
  };
  const item = (act: UserAct, off: boolean, colour?: string) => (
    <Menu.Item
      disabled={isOwn || off}
      {...(colour === undefined ? {} : { color: colour })}
      onClick={() => {
        choose(act);
      }}
    >
      {w[act]} …
    </Menu.Item>
  );
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={w.actsOf(name)}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(isOwn || identity !== null) && <Menu.Label>{isOwn ? w.ownRow : w.ofProvider}</Menu.Label>}
        <Menu.Item component={Link} href={`/tokens?user=${encodeURIComponent(name)}`}>
          {w.tokens}
        </Menu.Item>
        {item('changeRole', identity !== null)}
        {item('newPassword', identity !== null)}
        {disabled ? <Menu.Item onClick={() => void enable()}>{w.enable}</Menu.Item> : item('disable', false)}
        <Menu.Divider />
        {item('remove', false, 'red')}
      </Menu.Dropdown>
    </Menu>
  );
}
