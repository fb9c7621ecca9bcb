import { StandardSchemaValidationPipe } from '@nestjs/common';
import { Refusal } from '../../config/problem.js';
import { z } from 'zod';

/** So many mistakes are told: a request may be wrong in more places than anybody reads. */
const SHOWN = 20;

/** Holds what is asked for to the schemas of the route's parameters; whoever asks is told each mistake. */
export const REQUEST_PIPE = new StandardSchemaValidationPipe({
  exceptionFactory: (issues) =>
    new Refusal(400, 'REQUEST_INVALID', 'The request does not fit: see "errors".', {
      errors: issues.slice(0, SHOWN).map(({ path = [], message }) => ({
        path: path.map((one) => String(typeof one === 'object' ? one.key : one)).join('.'),
        message,
      })),
    }),
});

/** Of a route that takes no parameters. */
export const NO_QUERY = z.strictObject({});

/** A body of lines. It stays bytes: they are events as somebody sent them. */
export const BODY_OF_LINES = z
  .custom<Buffer>((body) => Buffer.isBuffer(body), 'must be lines of JSON, sent as application/x-ndjson')
  .meta({ type: 'string', description: 'One JSON text a line.' });
