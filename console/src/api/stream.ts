import { useEffect, useEffectEvent } from 'react';
import { urlOf } from './client.js';
import type { DeliveryChange, EventChange, SilenceChange, Topic, VerdictChange } from './types.js';

/** What is heard of each topic; `standing`: whether the connection stands. */
interface Changes {
  readonly events: EventChange;
  readonly verdicts: VerdictChange;
  readonly deliveries: DeliveryChange;
  readonly silences: SilenceChange;
  readonly standing: boolean;
}

type Listener = (data: unknown) => void;

const TOPICS: readonly Topic[] = ['events', 'verdicts', 'deliveries', 'silences'];

/** One connection for all that listen; it is there while somebody does. */
class Stream {
  private source: EventSource | null = null;
  private readonly listeners = new Map<Topic | 'standing', Set<Listener>>();
  private standing = false;

  listen(topic: Topic | 'standing', listener: Listener): () => void {
    const those = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, those.add(listener));
    if (topic === 'standing') listener(this.standing);
    this.open();
    return () => {
      those.delete(listener);
      if ([...this.listeners.values()].every((one) => one.size === 0)) this.close();
    };
  }

  private open(): void {
    if (this.source) return;
    const source = new EventSource(urlOf('/stream'));
    this.source = source;
    source.addEventListener('open', () => {
      this.tell('standing', (this.standing = true));
    });
    source.addEventListener('error', () => {
      this.tell('standing', (this.standing = false));
      // A refusal ends an EventSource for good; a cut connection does not.
      if (source.readyState === EventSource.CLOSED) {
        this.close();
        setTimeout(() => {
          if ([...this.listeners.values()].some((one) => one.size > 0)) this.open();
        }, 5000);
      }
    });
    for (const topic of TOPICS)
      source.addEventListener(topic, (message: MessageEvent<string>) => {
        this.tell(topic, JSON.parse(message.data));
      });
  }

  private close(): void {
    this.source?.close();
    this.source = null;
    this.standing = false;
  }

  private tell(topic: Topic | 'standing', data: unknown): void {
    for (const listener of this.listeners.get(topic) ?? []) listener(data);
  }
}

const stream = new Stream();

/** Hears what happens, while the component is there and `when` is not false. */
export function useChanges<On extends keyof Changes>(
  topic: On,
  hear: (change: Changes[On]) => void,
  when = true,
): void {
  const heard = useEffectEvent((data: unknown) => {
    hear(data as Changes[On]);
  });
  useEffect(() => (when ? stream.listen(topic, heard) : undefined), [topic, when]);
}
