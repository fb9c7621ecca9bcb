import { Alert, Button, Drawer, Group, List, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { AddedSilence, NewSilence, Rules } from '../../api/types.js';
import { exactMoment } from '../../parts/moment.js';
import { Problem, tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { errorsOf } from './field-errors.js';
import { FitPreview } from './fit-preview.js';
import { Matcher } from './matcher.js';
import { MatcherFields, type MatcherDraft } from './matcher-fields.js';
import { PeriodFields, type PeriodDraft } from './period-fields.js';
import { periodOf } from './period.js';
import { ReasonField } from './reason-field.js';
import { useStepActions } from './step-actions.js';
import { SILENCE_WORDS } from './words.js';

/** The parts that are filled in; null with why: the conditions cannot be read. */
function matcherOf(draft: MatcherDraft): NewSilence['matcher'] | 'not JSON' | 'no object' {
  const names = Object.fromEntries(
    (['rule', 'action', 'owner'] as const).flatMap((part) =>
      draft[part].trim() === '' ? [] : [[part, draft[part].trim()]],
    ),
  );
  if (!draft.withConditions) return names;
  try {
    const conditions: unknown = JSON.parse(draft.conditions);
    return typeof conditions === 'object' && conditions !== null && !Array.isArray(conditions)
      ? { ...names, conditions: conditions as NonNullable<NewSilence['matcher']['conditions']> }
      : 'no object';
  } catch {
    return 'not JSON';
  }
}

/** Asks what is silenced, for how long and why; shows meanwhile which live rules it is about. */
export function NewSilenceForm({ close }: { readonly close: () => void }) {
  const w = useWords(SILENCE_WORDS);
  const shown = useWords(SHOWN);
  const live = useAnswer<Rules>('/rules').data;
  const [matcher, setMatcher] = useState<MatcherDraft>({
    rule: '',
    action: '',
    owner: '',
    withConditions: false,
    conditions: '{\n  "all": [\n    { "fact": "biz_type", "operator": "equal", "value": "" }\n  ]\n}\n',
  });
  const rules = useStepActions(live, matcher.action !== '');
  const [period, setPeriod] = useState<PeriodDraft>({ lasting: '2h', startsAt: '', until: '' });
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [added, setAdded] = useState<AddedSilence | null>(null);
  const { fields, all } = errorsOf(problem);
  const read = matcherOf(matcher);
  const unread = read === 'not JSON' ? w.notJson : read === 'no object' ? w.notObject : null;
  const ready =
    typeof read === 'object' &&
    Object.keys(read).length > 0 &&
    reason.trim() !== '' &&
    (period.lasting !== 'custom' || period.until !== '');

  const add = async (): Promise<void> => {
    if (typeof read !== 'object') return;
    setBusy(true);
    setProblem(null);
    try {
      const body: NewSilence = {
        matcher: read,
        ...periodOf(period.lasting, period.startsAt, period.until, new Date()),
        reason: reason.trim(),
      };
      const answer = await api.post<AddedSilence>('/silences', body);
      tellDone(w.addDone);
      await askAgain('/silences');
      // What may be a slip is read before the form goes.
      if (answer.warnings.length > 0) setAdded(answer);
      else close();
    } catch (refused) {
      setProblem(refused);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size="lg"
      title={w.add}
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      {added ? (
        <Added silence={added} close={close} />
      ) : (
        <form
          onSubmit={(submit) => {
            submit.preventDefault();
            if (ready) void add();
          }}
        >
          <Stack>
            <Text size="sm" c="dimmed">
              {w.formAbout}
            </Text>
            <MatcherFields
              draft={matcher}
              change={(part) => {
                setMatcher({ ...matcher, ...part });
              }}
              rules={rules ?? []}
              errors={unread === null ? fields : { ...fields, 'matcher.conditions': unread }}
            />
            <FitPreview rules={rules} draft={matcher} />
            <PeriodFields
              draft={period}
              change={(part) => {
                setPeriod({ ...period, ...part });
              }}
              errors={fields}
            />
            <ReasonField value={reason} change={setReason} error={fields.reason} />
            {problem !== null && !all && <Problem error={problem} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {shown.cancel}
              </Button>
              <Button type="submit" loading={busy} disabled={!ready}>
                {w.addAct}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Drawer>
  );
}

/** It is there; what the service wonders about. */
function Added({ silence, close }: { readonly silence: AddedSilence; readonly close: () => void }) {
  const w = useWords(SILENCE_WORDS);
  const shown = useWords(SHOWN);
  return (
    <Stack>
      <Text size="sm" fw={600}>
        {silence.state === 'active' ? w.inForce : w.addDone}
      </Text>
      <Matcher matcher={silence.matcher} />
      <Text size="sm">
        {w.endsAt} {exactMoment(silence.endsAt)}
      </Text>
      <Alert color="orange" icon={<IconAlertTriangle />} title={w.warnings} role="alert">
        <List size="sm">
          {silence.warnings.map((warning) => (
            <List.Item key={warning} style={{ overflowWrap: 'anywhere' }}>
              {warning}
            </List.Item>
          ))}
        </List>
      </Alert>
      <Group justify="flex-end">
        <Button onClick={close} data-autofocus>
          {shown.close}
        </Button>
      </Group>
    </Stack>
  );
}
