import { Badge, Button, Code, Group, Select, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer, usePages } from '../../api/queries.js';
import { useMay, useSession } from '../../api/session.js';
import type { MadeToken, Page, Token, User } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { useFilters } from '../../parts/filters.js';
import { List } from '../../parts/list.js';
import { Moment, useNow } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { tellDone } from '../../parts/problem.js';
import { ShownOnce } from '../../parts/shown-once.js';
import { ROLES } from '../../words/role-words.js';
import { useWords } from '../../words/words.js';
import { NewTokenDialog } from './new-token.js';
import { TOKENS } from './words.js';

export default function TokenList() {
  const w = useWords(TOKENS);
  const roles = useWords(ROLES);
  const mayAdmin = useMay('admin');
  const { name: own } = useSession();
  const now = useNow();
  const { filters, set } = useFilters(['user']);
  const list = usePages<Token>('/tokens', mayAdmin ? filters : {});
  const users = useAnswer<Page<User>>('/users', { limit: 200 }, { when: mayAdmin }).data?.items ?? [];
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeToken | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const isLive = ({ revokedAt, expiresAt }: Token): boolean =>
    revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > now);

  return (
    <>
      <PageHead title={w.title} about={w.about}>
        {mayAdmin && (
          <Select
            aria-label={w.ofUser}
            placeholder={w.mine}
            searchable
            clearable
            w={180}
            value={filters.user || null}
            data={[...new Set([...users.map(({ name }) => name), ...(filters.user ? [filters.user] : [])])]}
            onChange={(user) => {
              set({ user });
            }}
          />
        )}
        <Button
          leftSection={<IconPlus size={16} />}
          onClick={() => {
            setMaking(true);
          }}
        >
          {w.make}
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
            title: w.tokenName,
            cell: ({ name }) => (
              <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                {name}
              </Text>
            ),
          },
          ...(mayAdmin && filters.user !== '' && filters.user !== own
            ? [{ title: w.user, cell: ({ user }: Token) => user }]
            : []),
          { title: roles.role, cell: ({ role }) => roles[role] },
          {
            title: w.live,
            cell: (token) => (
              <Badge variant="light" color={isLive(token) ? 'teal' : 'gray'}>
                {token.revokedAt !== null ? w.revoked : isLive(token) ? w.live : w.expired}
              </Badge>
            ),
          },
          { title: w.expires, cell: ({ expiresAt }) => <Moment time={expiresAt} /> },
          {
            title: w.lastUsed,
            cell: ({ lastUsedAt }) => (lastUsedAt === null ? w.never : <Moment time={lastUsedAt} />),
          },
          {
            title: '',
            width: 110,
            align: 'right',
            cell: (token) =>
              isLive(token) && (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={`${w.revoke}: ${token.name}`}
                  onClick={() => {
                    setRevoking(token);
                  }}
                >
                  {w.revoke}
                </Button>
              ),
          },
        ]}
      />
      {making && (
        <NewTokenDialog
          close={() => {
            setMaking(false);
          }}
          made={(token) => {
            setMaking(false);
            setMade(token);
            void askAgain('/tokens');
          }}
        />
      )}
      {made && (
        <ShownOnce
          title={made.name}
          label={w.token}
          secret={made.token}
          warning={w.once}
          about={
            <>
              {w.how}
              <Group mt={4}>
                <Code>Authorization: Bearer ast_…</Code>
              </Group>
            </>
          }
          close={() => {
            setMade(null);
          }}
        />
      )}
      {revoking && (
        <Confirm
          title={w.revokeTitle(revoking.name)}
          act={w.revoke}
          colour="red"
          close={() => {
            setRevoking(null);
          }}
          done={async () => {
            await api.delete(`/tokens/${segment(revoking.id)}`);
            await askAgain('/tokens');
            tellDone(w.revokedNow);
          }}
        >
          {w.revokeAbout}
        </Confirm>
      )}
    </>
  );
}
