import { Anchor, Text } from '@mantine/core';
import type { MouseEvent, ReactNode } from 'react';
import { Link } from 'wouter';
import { segment } from '../api/client.js';

/** To a place of the console. A click on it does not open the row that it stands in. */
export function To({ href, children }: { readonly href: string; readonly children: ReactNode }) {
  return (
    <Anchor
      component={Link}
      href={href}
      inherit
      style={{ overflowWrap: 'anywhere' }}
      onClick={(click: MouseEvent) => {
        click.stopPropagation();
      }}
    >
      {children}
    </Anchor>
  );
}

export function RuleLink({ name }: { readonly name: string }) {
  // The rules of the service itself are in no file.
  return name.includes(':') ? (
    <Text span inherit>
      {name}
    </Text>
  ) : (
    <To href={`/rules/${segment(name)}`}>{name}</To>
  );
}

export function EntityLink({ entity }: { readonly entity: string }) {
  return <To href={`/processes/${segment(entity)}`}>{entity}</To>;
}

export function EventLink({ id, children }: { readonly id: string; readonly children: ReactNode }) {
  return <To href={`/events/${segment(id)}`}>{children}</To>;
}
