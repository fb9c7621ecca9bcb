import { Box, Card, Group, Text, ThemeIcon, Title } from '@mantine/core';
import {
  IconAlertTriangle,
  IconBellX,
  IconCheck,
  IconFileAlert,
  IconGhost,
  IconHandStop,
  IconHelp,
  IconPlugConnectedX,
  IconShieldX,
  IconWaveSawTool,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { Link } from 'wouter';
import type { Overview } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { useCount } from './numbers.js';
import { OVERVIEW_WORDS } from './words.js';

interface Need {
  readonly name: string;
  readonly about: string;
  readonly count: number;
  readonly href: string;
  readonly colour: string;
  readonly icon: ComponentType<{ readonly size?: number }>;
}

/** What waits for a person, each a way to where it is mended. Calm when nothing does. */
export function Needs({ needs }: { readonly needs: Overview['needsPerson'] }) {
  const w = useWords(OVERVIEW_WORDS);
  const count = useCount();
  const { findings } = needs;
  const all: readonly Need[] = [
    {
      name: w.dead,
      about: w.deadAbout,
      count: needs.dead,
      href: '/deliveries?state=dead',
      colour: 'red',
      icon: IconGhost,
    },
    {
      name: w.held,
      about: w.heldAbout,
      count: needs.held,
      href: '/deliveries?state=held',
      colour: 'violet',
      icon: IconHandStop,
    },
    {
      name: w.failingTargets,
      about: w.failingTargetsAbout,
      count: needs.failingTargets,
      href: '/targets',
      colour: 'red',
      icon: IconPlugConnectedX,
    },
    {
      name: w.findings,
      about: w.findingsAbout(findings?.warning ?? 0),
      count: findings?.error ?? 0,
      href: '/attention?part=findings',
      colour: 'red',
      icon: IconFileAlert,
    },
    {
      name: w.warnings,
      about: w.warningsAbout,
      // Beside errors they are told there.
      count: findings?.error === 0 ? findings.warning : 0,
      href: '/attention?part=findings',
      colour: 'orange',
      icon: IconFileAlert,
    },
    {
      name: w.quarantined,
      about: w.quarantinedAbout,
      count: needs.quarantined,
      href: '/attention?part=quarantined',
      colour: 'red',
      icon: IconShieldX,
    },
    {
      name: w.errors,
      about: w.errorsAbout,
      count: needs.errors,
      href: '/attention?part=errors',
      colour: 'red',
      icon: IconAlertTriangle,
    },
    {
      name: w.unknown,
      about: w.unknownAbout,
      count: needs.unknown,
      href: '/attention?part=unknown',
      colour: 'yellow',
      icon: IconHelp,
    },
    {
      name: w.untold,
      about: w.untoldAbout,
      count: needs.untold,
      href: '/attention?part=notices',
      colour: 'orange',
      icon: IconBellX,
    },
    {
      name: w.drift,
      about: w.driftAbout,
      count: needs.drift.length,
      href: '/attention?part=drift',
      colour: 'orange',
      icon: IconWaveSawTool,
    },
  ];
  const waiting = all.filter((one) => one.count > 0);
  return (
    <section aria-labelledby="needs">
      <Title order={2} fz="h4" id="needs" mb="xs">
        {w.needs}
      </Title>
      {waiting.length === 0 ? (
        <Card withBorder padding="md">
          <Group wrap="nowrap">
            <ThemeIcon color="teal" variant="light" size={44} radius="xl">
              <IconCheck size={24} />
            </ThemeIcon>
            <div>
              <Text fw={600}>{w.needsNothing}</Text>
              <Text size="sm" c="dimmed">
                {w.needsNothingAbout}
              </Text>
            </div>
          </Group>
        </Card>
      ) : (
        <Box className="needs">
          {waiting.map((one) => (
            <Card
              key={one.name}
              component={Link}
              href={one.href}
              withBorder
              padding="xs"
              className="way"
              style={{ borderLeft: `4px solid var(--mantine-color-${one.colour}-6)` }}
            >
              <Group justify="space-between" wrap="nowrap" gap={4} align="flex-start">
                <Text fz={26} fw={700} lh={1.1} style={{ fontVariantNumeric: 'tabular-nums' }}>
                  {count(one.count)}
                </Text>
                <ThemeIcon color={one.colour} variant="light" size="md" aria-hidden>
                  <one.icon size={16} />
                </ThemeIcon>
              </Group>
              <Text size="sm" fw={600}>
                {one.name}
              </Text>
              <Text size="xs" c="dimmed" lineClamp={2}>
                {one.about}
              </Text>
            </Card>
          ))}
        </Box>
      )}
    </section>
  );
}
