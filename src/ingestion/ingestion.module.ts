import { Module } from '@nestjs/common';
import { Config } from '../config/config.module.js';
import { EventsModule } from '../events/events.module.js';
import { LiveCatalogue } from '../events/live-catalogue.js';
import { FeishuWebhook } from './feishu-webhook.js';
import { WebhookController } from './webhook.controller.js';

/**
 * ROOM 1: from the outside world to a stored event. A sender gets its 200 only after the commit; what is not
 * acknowledged the sender repeats, and the event's key makes the repetition harmless. Nothing else happens here.
 */
@Module({
  imports: [EventsModule],
  controllers: [WebhookController],
  providers: [
    {
      provide: FeishuWebhook,
      inject: [Config, LiveCatalogue],
      useFactory: ({ settings }: Config, catalogue: LiveCatalogue) =>
        new FeishuWebhook(
          {
            appId: settings.FEISHU_APP_ID,
            encryptKey: settings.FEISHU_ENCRYPT_KEY,
            verificationToken: settings.FEISHU_VERIFICATION_TOKEN,
            signatureMaxAge: settings.FEISHU_SIGNATURE_MAX_AGE,
          },
          catalogue,
        ),
    },
  ],
})
export class IngestionModule {}
