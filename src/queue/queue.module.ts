import { type BeforeApplicationShutdown, Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Wakeup } from './wakeup.js';

/** How rows are claimed: leases, lanes, wake-ups. Knows nothing of events or deliveries. */
@Global()
@Module({
  providers: [
    {
      provide: Wakeup,
      inject: [DataSource],
      useFactory: async (dataSource: DataSource) => {
        const wakeup = new Wakeup(dataSource);
        await wakeup.listen();
        return wakeup;
      },
    },
  ],
  exports: [Wakeup],
})
export class QueueModule implements BeforeApplicationShutdown {
  constructor(private readonly wakeup: Wakeup) {}

  beforeApplicationShutdown(): void {
    this.wakeup.close();
  }
}
