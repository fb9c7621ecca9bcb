import {
  Alert,
  Button,
  Checkbox,
  Group,
  Modal,
  NumberInput,
  Select,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { ReplayOfManyDetail, ReplayPreviewAnswer, Rules } from '../../api/types.js';
import { MomentInput } from '../../parts/moment-input.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { PreviewShown } from './preview-shown.js';
import { isTyped, TypedCount } from './typed-count.js';
import { REPLAY_WORDS } from './words.js';

const MOST = 10_000;
const DAY_MS = 86_400_000;

interface Draft {
  readonly type: string;
  readonly entity: string;
  readonly since: string;
  readonly until: string;
  readonly rule: string | null;
  readonly limit: number;
  readonly cut: boolean;
}

/** What the API is asked for. Fields that are empty choose nothing. */
function choiceOf({ type, entity, since, until, rule, limit, cut }: Draft): object {
  const filter = Object.entries({ type: type.trim(), entity: entity.trim(), since, until });
  return {
    filter: Object.fromEntries(filter.filter(([, value]) => value !== '')),
    limit,
    cut,
    ...(rule === null ? {} : { rule }),
  };
}

/** Chooses events, shows what would come of them, asks, and orders it. */
export function NewReplay({ close }: { readonly close: () => void }) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const { data: rules } = useAnswer<Rules>('/rules');
  const [draft, setDraft] = useState<Draft>(() => ({
    type: '',
    entity: '',
    since: new Date(Date.now() - DAY_MS).toISOString(),
    until: '',
    rule: null,
    limit: 1000,
    cut: false,
  }));
  const [preview, setPreview] = useState<ReplayPreviewAnswer | null>(null);
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const change = (part: Partial<Draft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    // What was seen is of another choice.
    setPreview(null);
    setTyped('');
  };
  const during = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      await work();
    } catch (problem) {
      setFailed(problem);
    } finally {
      setBusy(false);
    }
  };
  const look = (): Promise<void> =>
    during(async () => {
      setPreview(await api.post<ReplayPreviewAnswer>('/replays/preview', choiceOf(draft)));
    });
  const run = (ruleSet: string): Promise<void> =>
    during(async () => {
      const why = reason.trim();
      const order = { ...choiceOf(draft), ruleSet, ...(why === '' ? {} : { reason: why }) };
      const { id } = await api.post<ReplayOfManyDetail>('/replays', order);
      await askAgain('/replays');
      go(`/replays/${segment(id)}`);
    });
  const tooMany = preview !== null && preview.found > preview.looked && !draft.cut;
  return (
    <Modal opened onClose={close} title={w.create} size="xl" closeButtonProps={{ 'aria-label': shown.close }}>
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          void (preview === null ? look() : run(preview.ruleSet));
        }}
      >
        <Stack>
          <Group grow preventGrowOverflow={false} wrap="wrap" align="flex-start">
            <TextInput
              label={w.type}
              placeholder="corehr.process.*"
              value={draft.type}
              onChange={(changed) => {
                change({ type: changed.currentTarget.value });
              }}
            />
            <TextInput
              label={w.entity}
              value={draft.entity}
              onChange={(changed) => {
                change({ entity: changed.currentTarget.value });
              }}
            />
          </Group>
          <Group grow preventGrowOverflow={false} wrap="wrap" align="flex-start">
            <MomentInput label={w.from} value={draft.since} change={(since) => change({ since })} />
            <MomentInput label={w.until} value={draft.until} change={(until) => change({ until })} />
          </Group>
          <Group grow preventGrowOverflow={false} wrap="wrap" align="flex-start">
            <Select
              label={w.onlyRule}
              placeholder={w.allRules}
              data={rules?.items.map(({ name }) => name) ?? []}
              value={draft.rule}
              searchable
              clearable
              onChange={(rule) => change({ rule })}
            />
            <NumberInput
              label={w.limit}
              min={1}
              max={MOST}
              allowDecimal={false}
              value={draft.limit}
              onChange={(limit) => change({ limit: Math.min(MOST, Math.max(1, Number(limit) || 1)) })}
            />
          </Group>
          <Checkbox
            label={w.cut}
            checked={draft.cut}
            onChange={(changed) => {
              change({ cut: changed.currentTarget.checked });
            }}
          />
          {preview && (
            <Stack gap="sm" role="status">
              <Text fz="sm" fw={600}>
                {w.found(preview.found)}
                {preview.found > preview.looked && ` · ${w.lookedAt(preview.looked)}`}
              </Text>
              {tooMany && <Alert color="orange">{w.tooMany}</Alert>}
              <PreviewShown preview={preview} />
            </Stack>
          )}
          {preview && preview.looked > 0 && !tooMany && (
            <>
              <TextInput
                label={shown.reason}
                maxLength={500}
                value={reason}
                onChange={(changed) => {
                  setReason(changed.currentTarget.value);
                }}
              />
              <TypedCount count={preview.looked} typed={typed} change={setTyped} />
            </>
          )}
          {failed !== null && <Problem error={failed} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.close}
            </Button>
            {preview === null ? (
              <Button type="submit" loading={busy}>
                {w.look}
              </Button>
            ) : (
              <Button type="submit" loading={busy} disabled={tooMany || !isTyped(typed, preview.looked)}>
                {w.run(preview.looked)}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
