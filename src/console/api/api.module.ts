import { Module } from '@nestjs/common';
import { DeliveryModule } from '../../action/action.module.js';
import { EventsModule } from '../../events/events.module.js';
import { RuleStoresModule } from '../../rules/rules.module.js';

/** The admin API over events, evaluations, deliveries, rule sets, targets and sources. */
@Module({ imports: [EventsModule, RuleStoresModule, DeliveryModule] })
export class ApiModule {}
