import { Radio, Stack, Text, TextInput } from '@mantine/core';
import { useWords } from '../../words/words.js';
import { SHOWN } from '../../words/shown-words.js';
import { ACT_ABOUT, type Act, type How } from './acts.js';
import { DELIVERIES } from './words.js';

/** What an act does, how a redrive is meant, and why. */
export function HowFields({
  act,
  how,
  set,
}: {
  readonly act: Act;
  readonly how: How;
  readonly set: (how: How) => void;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  return (
    <Stack>
      {act === 'redrive' ? (
        <Radio.Group
          label={w.how}
          value={how.edited ? 'edited' : 'as it is'}
          onChange={(chosen) => {
            set({ ...how, edited: chosen === 'edited' });
          }}
        >
          <Stack gap="xs" mt={6}>
            <Radio value="as it is" label={w.asIs} description={w.redriveAbout} />
            <Radio value="edited" label={w.edited} description={w.editedAbout} />
          </Stack>
        </Radio.Group>
      ) : (
        <Text size="sm">{w[ACT_ABOUT[act]]}</Text>
      )}
      <TextInput
        label={shown.reason}
        description={w.reasonAbout}
        required={act === 'discard'}
        maxLength={500}
        value={how.reason}
        data-autofocus
        onChange={(change) => {
          set({ ...how, reason: change.currentTarget.value });
        }}
      />
    </Stack>
  );
}
