import type { Actor } from '../../config/access.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { CatalogueAnswer } from './catalogue.schema.js';

/** The event types by which events are read now. */
export class CatalogueService {
  constructor(private readonly live: LiveCatalogue) {}

  readonly list: (actor: Actor) => Promise<CatalogueAnswer> = async () => {
    await this.live.refresh();
    const { version, entries } = this.live.current;
    return { version, items: entries };
  };
}
