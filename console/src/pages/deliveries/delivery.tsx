import { Alert, Card, Group, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation, useParams } from 'wouter';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { ApiProblem, segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import { useMay } from '../../api/session.js';
import type { DeliveryDetail } from '../../api/types.js';
import { EntityLink, EventLink, RuleLink, To } from '../../parts/links.js';
import { deliveryColour, DeliveryState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { Id } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { type Act, ACT_WORD, actsOf, isTaking } from './acts.js';
import { ActDialog } from './act-dialog.js';
import { Attempts } from './attempts.js';
import { CodeMark } from './code-mark.js';
import { occasionWords } from './code-words.js';
import { Fact, Facts } from './facts.js';
import { RequestShown } from './request-shown.js';
import { DELIVERIES } from './words.js';

export default function DeliveryPage() {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { id } = useParams<{ readonly id: string }>();
  const path = `/deliveries/${segment(id)}`;
  const { data, error, refetch } = useAnswer<DeliveryDetail>(path);
  useAskOnChanges('deliveries', path);
  if (data) return <Shown delivery={data} />;
  return (
    <>
      <PageHead title={shown.delivery} about={id} />
      {error instanceof ApiProblem && error.status === 404 ? (
        <Stack align="flex-start">
          <Text>{w.notThere}</Text>
          <To href="/deliveries">{w.toList}</To>
        </Stack>
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : (
        <Stack aria-busy="true" aria-label={shown.loading}>
          <Skeleton height={150} />
          <Skeleton height={190} />
          <Skeleton height={240} />
        </Stack>
      )}
    </>
  );
}

function Shown({ delivery }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const [act, setAct] = useState<Act | null>(null);
  const [, go] = useLocation();
  const { id, state, rule, action } = delivery;
  return (
    <Stack gap="md">
      <PageHead title={w.deliveryTitle(rule, action)} about={<Id text={id} />}>
        {actsOf(state).map((one) => (
          <OperatorButton
            key={one}
            variant={isTaking(one) ? 'default' : 'filled'}
            onClick={() => {
              setAct(one);
            }}
          >
            {shown[ACT_WORD[one]]} …
          </OperatorButton>
        ))}
      </PageHead>
      <Why delivery={delivery} />
      <Head delivery={delivery} />
      <Attempts delivery={delivery} />
      <RequestShown delivery={delivery} />
      {act && (
        <ActDialog
          act={act}
          ids={[id]}
          close={() => {
            setAct(null);
          }}
          then={(next) => {
            if (next !== id) go(`/deliveries/${segment(next)}`);
          }}
        />
      )}
    </Stack>
  );
}

/** What stopped it, or took it out. */
function Why({ delivery: { state, code, reason } }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  if (code === null && reason === null) return null;
  const replaced = code === 'REPLACED' ? /[0-9a-f-]{36}/.exec(reason ?? '')?.[0] : undefined;
  return (
    <Alert
      color={deliveryColour(state)}
      icon={<IconHandStop />}
      title={code !== null && <CodeMark code={code} />}
      styles={{ title: { color: 'var(--mantine-color-text)' } }}
    >
      {replaced === undefined ? (
        reason !== null && (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {reason}
          </Text>
        )
      ) : (
        <To href={`/deliveries/${replaced}`}>{w.replacedBy}</To>
      )}
    </Alert>
  );
}

function Head({ delivery }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const mayTry = useMay('operator');
  const { state, rule, action, kind, target, entity, eventId, occasion, generation } = delivery;
  return (
    <Card withBorder>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl" verticalSpacing={0}>
        <Facts>
          <Fact title={shown.state}>
            <Group gap="xs">
              <DeliveryState state={state} />
              {(state === 'pending' || state === 'deferred') && (
                <Text span size="sm">
                  {shown.due} <Moment time={delivery.dueAt} />
                </Text>
              )}
            </Group>
          </Fact>
          <Fact title={shown.rule}>
            <RuleLink name={rule} />
            {mayTry && occasion !== 'notice' && (
              <>
                {' · '}
                <To href={`/try?event=${segment(eventId)}&rule=${segment(rule)}`}>{shown.tryRule}</To>
              </>
            )}
          </Fact>
          <Fact title={shown.action}>
            {action} · {kind}
          </Fact>
          <Fact title={shown.target}>
            {delivery.masked && target.includes('•') ? (
              target
            ) : (
              <To href={`/deliveries?target=${encodeURIComponent(target.toWellFormed())}`}>{target}</To>
            )}
          </Fact>
          <Fact title={shown.entity}>{entity === '' ? '–' : <EntityLink entity={entity} />}</Fact>
          <Fact title={shown.event}>
            {occasion === 'notice' ? w.notice : <EventLink id={eventId}>{eventId}</EventLink>}
          </Fact>
        </Facts>
        <Facts>
          <Fact title={w.occasion}>
            {occasionWords(occasion, language) ?? occasion}
            {occasion.includes(':') ? ` · ${occasion.slice(occasion.indexOf(':') + 1)}` : ''}
          </Fact>
          <Fact title={shown.created}>
            <Moment time={delivery.createdAt} exact />
          </Fact>
          <Fact title={shown.updated}>
            <Moment time={delivery.updatedAt} exact />
          </Fact>
          {delivery.redrivenAt !== null && (
            <Fact title={w.redriven}>
              <Moment time={delivery.redrivenAt} exact />
            </Fact>
          )}
          <Fact title={w.generation} about={w.generationAbout}>
            {generation}
          </Fact>
          <Fact title={w.actionKey} about={w.actionKeyAbout}>
            <Id text={delivery.actionKey} />
          </Fact>
        </Facts>
      </SimpleGrid>
    </Card>
  );
}
