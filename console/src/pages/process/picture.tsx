import { ActionIcon, Box, Card, Group, Paper, Switch, Text, Title, Tooltip } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { IconZoomIn, IconZoomOut } from '@tabler/icons-react';
import { type KeyboardEvent, useId, useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { useCatalogue } from '../../api/queries.js';
import type { Entity } from '../../api/types.js';
import { useNow } from '../../parts/moment.js';
import { useLabel, useWords } from '../../words/words.js';
import { Axis } from './axis.js';
import { type Detail, DetailLines } from './detail.js';
import { type Phase, pictureOf, type ShownDelivery } from './layout.js';
import { phasesOf } from './phases.js';
import { RowLabel } from './row-label.js';
import { RowMarks } from './row-marks.js';
import { PROCESS } from './words.js';
import './picture.css';

/** Room above the rows for the times, pixels. */
const AXIS = 34;
/** The narrowest that the picture gets: on a phone it is moved sideways. */
const LEAST_WIDTH = 520;
const ZOOMS = [1, 1.6, 2.5, 4, 6.5, 10];
const PHASES: readonly Phase[] = ['open', 'done', 'rejected', 'cancelled', 'ended', 'unknown'];

/** A process over time: one row for each task below its node, then what reminds and what went out. */
export function ProcessPicture({
  entity,
  deliveries,
}: {
  readonly entity: Entity;
  readonly deliveries: readonly ShownDelivery[];
}) {
  const w = useWords(PROCESS);
  const say = useLabel();
  const [, go] = useLocation();
  const catalogue = useCatalogue();
  const { ref, width: room } = useElementSize();
  const [zoom, setZoom] = useState(0);
  const [squeeze, setSqueeze] = useState(true);
  const [detail, setDetail] = useState<Detail | null>(null);
  const now = useNow(30_000);
  const patterns = useId();
  const width = Math.max(room, LEAST_WIDTH) * (ZOOMS[zoom] ?? 1);
  const picture = useMemo(
    () =>
      pictureOf(entity, {
        width,
        now,
        squeeze,
        deliveries,
        phaseOf: phasesOf(entity, catalogue?.items ?? []),
      }),
    [entity, deliveries, catalogue, width, now, squeeze],
  );
  const height = picture.height + AXIS;
  const entrance = picture.rows.findIndex(
    (row) => row.kind === 'ladder' || ('marks' in row && row.marks.length > 0),
  );
  const onKey = (key: KeyboardEvent<SVGSVGElement>): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key.key];
    if (step === undefined) return;
    const marks = [...key.currentTarget.querySelectorAll<SVGGElement>('[data-mark]')];
    const here = marks.findIndex((one) => one === document.activeElement);
    marks[here < 0 ? 0 : Math.min(Math.max(here + step, 0), marks.length - 1)]?.focus();
    key.preventDefault();
  };
  const shownPhases = PHASES.filter((phase) =>
    picture.rows.some((row) => 'bars' in row && row.bars.some((bar) => bar.phase === phase)),
  );
  return (
    <Card withBorder padding="md" mb="md">
      <Group justify="space-between" mb="sm" gap="sm">
        <Title order={2} fz="h4">
          {w.picture}
        </Title>
        <Group gap="md">
          <Switch
            size="sm"
            label={w.squeeze}
            checked={squeeze}
            onChange={(change) => {
              setSqueeze(change.currentTarget.checked);
            }}
          />
          <Group gap={4}>
            <Tooltip label={w.zoomOut}>
              <ActionIcon
                variant="default"
                size={32}
                aria-label={w.zoomOut}
                disabled={zoom === 0}
                onClick={() => {
                  setZoom(zoom - 1);
                }}
              >
                <IconZoomOut size={16} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label={w.zoomIn}>
              <ActionIcon
                variant="default"
                size={32}
                aria-label={w.zoomIn}
                disabled={zoom === ZOOMS.length - 1}
                onClick={() => {
                  setZoom(zoom + 1);
                }}
              >
                <IconZoomIn size={16} />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
      </Group>
      <Box className="picture">
        <Box className="picture-labels" pt={AXIS}>
          {picture.rows.map((row) => (
            <RowLabel key={row.key} row={row} entity={entity} />
          ))}
        </Box>
        <Box className="picture-scroll" ref={ref}>
          <Box pos="relative" w={width}>
            {room > 0 && (
              <svg
                width={width}
                height={height}
                role="group"
                aria-label={w.pictureAbout(entity.tasks.length, entity.history.length, deliveries.length)}
                onKeyDown={onKey}
                onMouseLeave={() => {
                  setDetail(null);
                }}
              >
                <Patterns id={patterns} />
                <g transform={`translate(0 ${AXIS})`}>
                  <Axis scale={picture.scale} nowX={picture.nowX} height={picture.height} />
                  {picture.rows.map((row, at) => (
                    <g key={row.key} transform={`translate(0 ${row.y})`}>
                      <rect width={width} height={row.height} className="row" data-kind={row.kind} />
                      <RowMarks
                        row={row}
                        patterns={patterns}
                        isFirst={at === entrance}
                        show={setDetail}
                        open={go}
                        say={say}
                      />
                    </g>
                  ))}
                </g>
              </svg>
            )}
            {detail && (
              <Paper
                className="picture-detail"
                withBorder
                shadow="md"
                p="xs"
                style={{
                  left: Math.max(4, Math.min(detail.x - 20, width - 290)),
                  top: detail.y + AXIS,
                }}
              >
                <DetailLines detail={detail} />
              </Paper>
            )}
          </Box>
        </Box>
      </Box>
      <Group gap="md" mt="sm" role="list" aria-label={w.status}>
        {shownPhases.map((phase) => (
          <Group key={phase} gap={6} role="listitem">
            <svg width={22} height={12} aria-hidden>
              <rect width={22} height={12} rx={3} className="bar" data-phase={phase} />
              <rect width={22} height={12} rx={3} fill={`url(#${patterns}-${phase})`} />
            </svg>
            <Text size="xs">{w[`phase ${phase}`]}</Text>
          </Group>
        ))}
      </Group>
    </Card>
  );
}

/** A way to tell the phases apart without their colours. */
function Patterns({ id }: { readonly id: string }) {
  const lines: Readonly<Record<Exclude<Phase, 'done'>, string>> = {
    open: 'M-1,1 l2,-2 M0,8 l8,-8 M7,9 l2,-2',
    rejected: 'M0,0 l8,8 M0,8 l8,-8',
    cancelled: 'M0,4 h8',
    ended: 'M4,0 v8',
    unknown: 'M3,3 h2 v2 h-2 z',
  };
  return (
    <defs>
      {Object.entries(lines).map(([phase, line]) => (
        <pattern key={phase} id={`${id}-${phase}`} width={8} height={8} patternUnits="userSpaceOnUse">
          <path d={line} className="hatch" />
        </pattern>
      ))}
    </defs>
  );
}
